package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.config.Configs;
import dev.retort.io.FolderLock;
import dev.retort.train.TrainConfig;
import java.awt.image.BufferedImage;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class TrainCommandTest {
    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void write() throws Exception {
        file = folder.resolve("tiny.yaml");
        try (InputStream tiny = TrainCommandTest.class.getResourceAsStream("/tiny.yaml")) {
            Files.copy(tiny, file);
        }
    }

    private Path run() {
        return folder.resolve("run");
    }

    private Ran train(String... options) {
        return Ran.retort(
                Stream.concat(Stream.of("train", file.toString(), "--run", run().toString()), Stream.of(options))
                        .toArray(String[]::new));
    }

    @Test
    void it_trains_names_its_output_and_the_next_command_and_that_command_works() {
        Ran ran = train();
        ran.good();
        assertThat(ran.out().strip()).isEqualTo(run().resolve("model").toString());
        assertThat(ran.err()).contains("train 100% (48/48 images)").endsWith("Next: retort sample " + run() + "\n");
        assertThat(Ran.retort(
                                "sample",
                                run().toString(),
                                "--count",
                                "1",
                                "--out",
                                folder.resolve("a.png").toString())
                        .exitCode())
                .isZero();
    }

    @Test
    void the_same_command_resumes_and_another_configuration_does_not_touch_the_run() throws Exception {
        assertThat(train("--set", "images=24").exitCode()).isZero();
        byte[] model = Files.readAllBytes(run().resolve("model/model.safetensors"));
        assertThat(train("--set", "images=24").err()).contains("resuming at 24 images");
        Ran other = train("--set", "images=24", "--set", "run.seed=2");
        assertThat(other.exitCode()).isEqualTo(3);
        assertThat(other.err()).contains("another configuration", "there, ");
        assertThat(Files.readAllBytes(run().resolve("model/model.safetensors"))).isEqualTo(model);
    }

    @Test
    void a_run_outside_what_is_expected_says_so_and_where_asked_to_ends_saved_with_exit_code_8() throws Exception {
        String band = "run.log.expect=[{images: 16, of: loss/diffusion, from: 0, to: 0.001}]";
        assertThat(train("--dry-run", "--set", band).out()).contains("of: loss/diffusion");
        Ran ran = train("--set", band, "--set", "run.log.stopOutside=true");
        assertThat(ran.exitCode()).isEqualTo(8);
        assertThat(ran.err()).contains("loss/diffusion is ", "at 16 images, expected 0.000 to 0.001", "saved to ");
        assertThat(train("--set", band).exitCode()).isZero();
        assertThat(Files.readString(run().resolve("log.jsonl"))).containsOnlyOnce("\"kind\":\"warning\"");
    }

    @Test
    void a_dry_run_prints_a_configuration_that_reads_back_and_trains_nothing() throws Exception {
        Ran ran = train("--dry-run", "--set", "images=80", "--precision", "bf16");
        ran.good();
        assertThat(ran.err()).contains("10 optimiser steps").contains("time: at least");
        Path resolved = Files.writeString(folder.resolve("resolved.yaml"), ran.out());
        TrainConfig config = Configs.load(TrainConfig.class, "train", resolved.toString(), List.of());
        assertThat(config.images()).isEqualTo(80);
        assertThat(config.run().compute().precision()).isEqualTo("bf16");
        assertThat(run()).doesNotExist();
    }

    @Test
    void what_is_read_and_what_is_left_out_is_said() throws Exception {
        Path pictures = folder.resolve("pictures");
        for (String name : List.of("train/1.png", "tram/2.png", "tram/3.png", "tram/cut.png", "tram/4.tif")) {
            Path picture = Files.createDirectories(pictures.resolve(name).getParent())
                    .resolve(pictures.resolve(name).getFileName());
            ImageIO.write(new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB), "png", picture.toFile());
        }
        Files.writeString(pictures.resolve("tram/cut.png"), "x");
        String data = "run.data={kind: auto, path: " + pictures + ", split: train, size: 16, flip: false}";
        assertThat(train("--dry-run", "--set", data).err())
                .contains("2 classes (train, tram), 4 images", "left out: 1 .tif in tram");
        Ran ran = train("--set", data);
        ran.good();
        assertThat(ran.err())
                .contains("2 classes (train, tram), 4 images", "left out: 1 .tif in tram")
                .containsOnlyOnce("left out: cannot decode the picture " + pictures.resolve("tram/cut.png"));
    }

    @Test
    void quiet_json_is_all_it_says() {
        Ran ran = train("--json", "--quiet");
        assertThat(ran.err()).isEmpty();
        JsonNode trained = new JsonMapper().readTree(ran.out());
        assertThat(trained.get("images").asLong()).isEqualTo(48);
        assertThat(Path.of(trained.get("model").asString())).isDirectory();
    }

    @Test
    void bad_configurations_are_one_sentence_and_leave_nothing_behind() {
        Ran.retort("train", "fashion-teachr").refused(3, "did you mean 'fashion-teacher'?");
        Ran.retort("train", "fashion-student").refused(3, "retort distill fashion-student");
        Ran.retort("distill", "fashion-student", "--set", "teacher.model=" + folder.resolve("none"))
                .refused(7, "teacher.model", "does not exist");
        train("--set", "data.size=x").refused(3, "did you mean run.data.size?");
        Ran.retort("train", "no/such.yaml").refused(3, "There is no file no/such.yaml");
        train("--set", "run.lr=1").refused(3, "run.lr is not a field here");
        train("--set", "run.batch=0").refused(3, "run.batch is 0, expected at least 1");
        train("--set", "run.data.kind=shape").refused(3, "did you mean 'shapes'?");
        train("--device", "gpu").refused(2, "device gpu is unknown", "(option --device)");
        train("--set", "run.data={kind: idx, path: no-such-folder, split: train, size: 0, flip: false}")
                .refused(6, "no-such-folder");
        train("--set", "images").refused(2, "--set");
        for (String when : List.of("--dry-run", "--quiet")) {
            train(when, "--set", "run.data.size=18").refused(3, "model.size is 1x8x2/4", "18x18", "run.data.size");
            train(when, "--set", "model.size=1x10x2/2").refused(3, "model.size is 1x10x2/2", "hidden is 10");
        }
        assertThat(run()).doesNotExist();
    }

    @Test
    void a_run_in_use_is_refused_at_once() throws Exception {
        try (FolderLock held = FolderLock.take(run(), note -> {})) {
            train().refused(9, run() + " is in use by this process");
            assertThat(run().resolve("config.yaml")).doesNotExist();
        }
        train().good();
    }

    @Test
    void a_batch_that_no_memory_holds_is_told_as_that() {
        train("--set", "run.batch=3000000", "--set", "run.compute.microBatch=1").refused(5, "memory ran out", "lower");
    }

    @Test
    void a_run_goes_on_on_another_device_and_says_so() {
        train("--set", "run.compute.device=auto").good();
        Ran ran = train();
        ran.good();
        assertThat(ran.err())
                .contains("run.compute.device is \"auto\" there, \"cpu\" here")
                .contains("resuming at 48");
    }
}
