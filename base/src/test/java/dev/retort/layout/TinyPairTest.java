package dev.retort.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.io.Dtype;
import dev.retort.io.TensorFile;
import dev.retort.io.TorchWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two files that are read as one. */
class TinyPairTest {
    private static final float VALUE = 40_000;

    @TempDir
    Path folder;

    private Path encoder;

    @BeforeEach
    void save() throws IOException {
        encoder = folder.resolve("p_encoder.pth");
        new TorchWriter()
                .add(
                        "14.bias",
                        Dtype.F32,
                        new long[] {4},
                        out -> out.write(little(16).putFloat(VALUE).rewind()))
                .write(encoder);
        byte[] header =
                "{\"odd\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[0,8]}}".getBytes(StandardCharsets.UTF_8);
        Files.write(
                folder.resolve("p_decoder.safetensors"),
                little(8 + header.length + 8).putLong(header.length).put(header).array());
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private TensorFile open() {
        return AutoencoderFiles.find(folder.resolve("p")).open();
    }

    @Test
    void a_tensor_whose_values_are_not_read_is_listed_and_keeps_no_other_from_being_read() {
        try (TensorFile both = open()) {
            assertThat(both.entry("decoder.layers.odd").type().name()).isEqualTo("C64");
            assertThat(ConvertedWeights.types(both)).containsExactly(Dtype.F32);
            assertThat(both.floats("encoder.layers.14.bias")).startsWith(VALUE);
            both.verify();
        }
    }

    @Test
    void damage_in_either_file_is_found() throws IOException {
        byte[] all = Files.readAllBytes(encoder);
        ByteBuffer looked = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN);
        int at = 0;
        while (looked.getFloat(at) != VALUE) {
            at++;
        }
        all[at] ^= 1;
        Files.write(encoder, all);
        try (TensorFile both = open()) {
            assertThatThrownBy(both::verify)
                    .hasMessageContaining("p_encoder.pth")
                    .hasMessageContaining("checksum");
        }
    }
}
