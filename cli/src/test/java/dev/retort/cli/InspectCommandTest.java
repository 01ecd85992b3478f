package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.io.Dtype;
import dev.retort.io.NpyType;
import dev.retort.io.NpzWriter;
import dev.retort.io.SafetensorsWriter;
import dev.retort.io.TorchWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectCommandTest {
    private static final String ESCAPE = Character.toString(0x1b);

    @TempDir
    Path folder;

    @Test
    void what_a_terminal_would_obey_is_shown_escaped_in_tables_notes_errors_and_json() {
        Path file = folder.resolve("odd.safetensors");
        String name = "ema" + ESCAPE + "[2J.b" + Character.toString(0x9b) + "1m\nx";
        new SafetensorsWriter()
                .add(name, new long[] {1}, new float[1])
                .add("teacher" + ESCAPE + "c.x_embedder.proj.weight", new long[] {1}, new float[1])
                .add("student.x_embedder.proj.weight", new long[] {1}, new float[1])
                .write(file);
        for (String option : new String[] {"--quiet", "--stats", "--json"}) {
            Ran ran = Ran.retort("inspect", file.toString(), "--keys", option).good();
            assertThat(ran.out()).containsIgnoringCase("\\u001b[2J").contains("\\u009b1m\\nx");
            assertThat(ran.out() + ran.err()).doesNotContain(ESCAPE).doesNotContain(Character.toString(0x9b));
        }
        Ran.retort("convert", file.toString(), folder.resolve("out").toString())
                .refused(7, "'teacher\\u001bc' (1 tensors)", "to a file of their own");
    }

    @Test
    void damage_that_a_checksum_shows_is_refused_though_no_values_are_asked_for() throws IOException {
        Path npz = folder.resolve("a.npz");
        byte[] marked = new byte[64];
        Arrays.fill(marked, (byte) 77);
        NpzWriter.write(npz, writer -> writer.add("w", NpyType.U8, new long[] {64}, out -> out.write(marked)));
        Path pt = folder.resolve("a.pt");
        new TorchWriter()
                .add("w", Dtype.U8, new long[] {64}, out -> out.write(ByteBuffer.wrap(marked)))
                .write(pt);
        for (Path file : new Path[] {npz, pt}) {
            assertThat(Ran.retort("inspect", file.toString()).good().out()).contains("1, 64 values");
            byte[] bytes = Files.readAllBytes(file);
            int at = 0;
            while (!Arrays.equals(bytes, at, at + 64, marked, 0, 64)) {
                at++;
            }
            bytes[at + 9] ^= 1;
            Files.write(file, bytes);
            Ran.retort("inspect", file.toString()).refused(7, file.toString(), "checksum", "fetch or copy it again");
        }
    }

    @Test
    void a_tensor_whose_values_are_not_read_is_listed_without_statistics() throws IOException {
        byte[] text = ("{'descr': '<U1', 'fortran_order': False, 'shape': (2,), }\n").getBytes();
        ByteBuffer npy = ByteBuffer.allocate(10 + text.length + 8);
        npy.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (byte) text.length, 0});
        Path file = Files.write(folder.resolve("names.npy"), npy.put(text).array());
        Ran ran = Ran.retort("inspect", file.toString(), "--stats").good();
        assertThat(ran.out()).contains("<U1").contains("1, 2 values, 8 B").contains(" -  ");
    }
}
