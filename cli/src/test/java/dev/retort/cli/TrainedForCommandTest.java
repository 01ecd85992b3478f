package dev.retort.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.card.GuidanceRange;
import dev.retort.card.ModelCard;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TrainedFor;
import dev.retort.io.ImageDecoder;
import dev.retort.io.SafetensorsFile;
import dev.retort.layout.ModelFiles;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A distilled student knows how it must be sampled. */
class TrainedForCommandTest {
    @TempDir
    private Path folder;

    private Path model;
    private Path other;

    @BeforeEach
    void save() throws Exception {
        Path made = TinyModel.save(folder.resolve("made"), 8, 0.1);
        model = student("student", made, TrainedFor.steps(3, SamplingSpec.of("flow-euler", 3, 1), 1.5));
        other = made;
    }

    private Path student(String name, Path made, TrainedFor trained) {
        Path place = folder.resolve(name);
        ModelCard card = ModelFiles.card(made).withTrainedFor(trained);
        try (SafetensorsFile weights = SafetensorsFile.open(made.resolve(ModelFiles.WEIGHTS))) {
            ModelFiles.convert(place, card, weights, dev.retort.io.Dtype.F32);
        }
        return place;
    }

    private Ran sample(String... options) {
        return sample(model, options);
    }

    private Ran sample(Path which, String... options) {
        String out = folder.resolve("out.png").toString();
        return Ran.retort(Stream.concat(
                        Stream.of(
                                "sample",
                                which.toString(),
                                "--device",
                                "cpu",
                                "--precision",
                                "fp32",
                                "--count",
                                "3",
                                "--out",
                                out),
                        Arrays.stream(options))
                .toArray(String[]::new));
    }

    @Test
    void another_way_than_it_was_trained_for_is_refused_with_what_it_was_trained_for() {
        sample().good();
        sample("--steps", "4")
                .refused(
                        2,
                        "--steps is 4, but the model was trained for 3 steps alone; ask for as many, or sample " + model
                                + " nonetheless with --force");
        sample("--guidance", "2").refused(2, "--guidance is 2.0, but a guidance of 1.5 is baked into the model");
        sample("--solver", "flow-heun").refused(2, "--solver is flow-heun, but the model was trained for flow-euler");
        sample("--grid", "flow:shift=3").refused(2, "--grid is flow:shift=3", "the grid default alone");
        sample("--grid", "even").good(); // the same times
        Ran evaluated = Ran.retort("evaluate", model.toString(), "--steps", "4", "--data", "shapes");
        evaluated.refused(2, "--steps is 4, but the model was trained for 3 steps alone");
        Ran.retort("compare", other.toString(), model.toString(), "--steps", "4", "--data", "shapes")
                .refused(2, "--steps is 4, but the model was trained for 3 steps alone", "student nonetheless");
    }

    @Test
    void forced_it_is_sampled_nonetheless_as_any_model_would_be_with_a_warning() throws Exception {
        Ran forced = sample("--steps", "4", "--force");
        forced.good();
        assertThat(forced.err())
                .contains("Warning: steps is 4, but the model was trained for 3 steps alone; ask for as many");
        byte[] drawn = ImageDecoder.read(folder.resolve("out.png")).pixels();
        sample(other, "--steps", "4").good();
        assertThat(drawn).isEqualTo(ImageDecoder.read(folder.resolve("out.png")).pixels());
        assertThat(sample("--force").good().err()).doesNotContain("Warning");
    }

    @Test
    void classes_beyond_its_domain_are_refused_unless_forced_and_by_default_its_own_are_drawn() throws Exception {
        Path squares = student("squares", other, TrainedFor.ANY.ofClasses(List.of(1)));
        assertThat(Ran.retort("inspect", squares.toString()).good().out())
                .contains("Domain    square alone")
                .doesNotContain("Trained");
        sample(squares).good();
        byte[] drawn = ImageDecoder.read(folder.resolve("out.png")).pixels();
        sample(other, "--classes", "square").good();
        assertThat(drawn).isEqualTo(ImageDecoder.read(folder.resolve("out.png")).pixels());
        sample(squares, "--classes", "1,0")
                .refused(
                        2,
                        "--classes circle: the model was distilled for square alone; ask for these, or sample "
                                + squares + " nonetheless with --force");
        assertThat(sample(squares, "--classes", "0", "--force").good().err())
                .contains("Warning: classes circle: the model was distilled for square alone");
        String out = folder.resolve("kept").toString();
        Ran.retort("trajectories", squares.toString(), "--count", "2", "--device", "cpu", "--out", out)
                .refused(2, "the model was distilled for square alone");
    }

    @Test
    void folded_it_draws_the_same_from_a_smaller_file_and_is_refused_where_its_table_has_nothing() throws Exception {
        String small = folder.resolve("small").toString();
        assertThat(Ran.retort("convert", model.toString(), small, "--fold")
                        .good()
                        .err())
                .contains("MB, where " + model + " has");
        assertThat(Ran.retort("inspect", small).good().out())
                .contains("DiT")
                .contains(" folded")
                .contains("modulations of 3 times and 3 labels")
                .contains("for 3 steps of flow-euler");
        sample(model).good();
        byte[] drawn = ImageDecoder.read(folder.resolve("out.png")).pixels();
        sample(Path.of(small)).good();
        assertThat(ImageDecoder.read(folder.resolve("out.png")).pixels()).isEqualTo(drawn);
        sample(Path.of(small), "--steps", "4").refused(2, "--steps is 4, but the model was trained for 3 steps alone");
        sample(Path.of(small), "--steps", "4", "--force")
                .refused(2, "was asked at time 750.0, but its table has the times", "it was folded from");
        String again = folder.resolve("again").toString();
        Ran.retort("convert", small, again, "--fold").refused(2, "cannot be folded: it is folded already");
        Ran.retort("convert", small, again, "--dtype", "fp16").good();
        Ran.retort("convert", small, again + ".pt").refused(2, "cannot be written as original");
        Ran.retort("convert", model.toString(), again + ".pt", "--fold").refused(2, "other programs do not know");
        Ran.retort("convert", other.toString(), again, "--fold", "--force")
                .refused(2, "trained for any way of sampling and is asked at any time");
    }

    @Test
    void of_a_run_the_weights_that_were_best_in_a_number_of_steps_are_drawn_in_it() throws Exception {
        SamplingSpec way = SamplingSpec.of("flow-euler", 1, 1);
        student("run/model", other, TrainedFor.jumps(way, 1));
        Path best = student(
                "run/model-2",
                TinyModel.save(folder.resolve("wider"), 16, 0.1),
                TrainedFor.steps(2, way.withSteps(2), 1));
        Path run = folder.resolve("run");
        assertThat(sample(run, "--steps", "2").good().err())
                .contains("the weights that were best in so many steps are taken: model-2");
        sample(best, "--steps", "3").refused(2, "trained for 2 steps alone");
        for (Path exact : List.of(best, run.resolve("model"))) {
            assertThat(sample(exact, "--steps", "2").good().err()).doesNotContain("were best");
        }
        assertThat(sample(run, "--steps", "4").good().err()).doesNotContain("were best");
    }

    @Test
    void guidance_beyond_the_scales_that_it_was_told_is_refused_unless_forced() {
        Path told = student("told", other, TrainedFor.ANY.withGuidanceInput(Optional.of(new GuidanceRange(1, 4))));
        sample(told, "--guidance", "4").good();
        sample(told, "--guidance", "6")
                .refused(
                        2,
                        "--guidance is 6.0, but the model was told scales from 1.0 to 4.0 alone; ask for one of these");
        assertThat(sample(told, "--guidance", "6", "--force").good().err())
                .contains("Warning: guidance is 6.0, but the model was told scales from 1.0 to 4.0 alone");
        assertThat(Ran.retort("inspect", told.toString()).good().out()).contains("guidance told from 1.0 to 4.0");
    }

    @Test
    void as_a_teacher_it_has_no_trajectories_but_those_of_its_own_steps() {
        String out = folder.resolve("kept").toString();
        Ran.retort("trajectories", model.toString(), "--count", "2", "--device", "cpu", "--out", out)
                .refused(2, "steps is 16, but the model was trained for 3 steps alone");
        Ran.retort("trajectories", model.toString(), "--count", "2", "--device", "cpu", "--out", out, "--steps", "3")
                .good();
    }

    @Test
    void inspect_says_what_it_was_trained_for() {
        assertThat(Ran.retort("inspect", model.toString()).good().out())
                .contains("Trained   for 3 steps of flow-euler on the grid default, guidance 1.5 baked in");
        assertThat(Ran.retort("inspect", other.toString()).good().out()).doesNotContain("Trained");
    }

    @Test
    void one_file_of_several_heads_draws_in_each_number_of_steps_that_it_was_trained_for_and_in_no_other_way() {
        Path parallel = TinyModel.parallel(folder.resolve("parallel"));
        for (String steps : new String[] {"2", "4"}) {
            sample(parallel, "--steps", steps).good();
        }
        sample(parallel, "--steps", "1").refused(2, "--steps is 1, but the model was trained for 2 or 4 steps alone");
        sample(parallel, "--steps", "1", "--force").good();
        sample(parallel, "--steps", "3").refused(2, "of this one's 4 it can in 1, 2, 4");
        sample(parallel, "--solver", "flow-euler", "--force").refused(2, "reads one output of the network");
        sample(other, "--solver", "parallel-euler").refused(2, "of this one's 1 it can in 1; take flow-euler");
        sample(parallel, "--guidance", "2").good();
        assertThat(Ran.retort("inspect", parallel.toString()).good().out())
                .contains(", 4 outputs")
                .contains("for 2 or 4 steps of parallel-euler");
        Ran.retort(
                        "trajectories",
                        parallel.toString(),
                        "--count",
                        "2",
                        "--device",
                        "cpu",
                        "--steps",
                        "4",
                        "--out",
                        folder.resolve("kept").toString())
                .good();
        Ran.retort("convert", parallel.toString(), folder.resolve("foreign.pt").toString(), "--to", "original")
                .refused(7, "one output where this network has 4");
    }

    @Test
    void temperature_scales_the_noise_of_a_solver_that_adds_some_and_is_refused_with_another() throws Exception {
        sample(other, "--temperature", "0.5")
                .refused(
                        2,
                        "--solver flow-euler with --steps 3",
                        "temperature is 0.5, but flow-euler in 3 steps adds no noise");
        sample(other, "--solver", "lcm", "--temperature", "11")
                .refused(2, "--temperature is 11, expected between 0 and 10");
        sample(other, "--solver", "lcm").good();
        byte[] usual = ImageDecoder.read(folder.resolve("out.png")).pixels();
        sample(other, "--solver", "lcm", "--temperature", "1").good();
        assertThat(ImageDecoder.read(folder.resolve("out.png")).pixels()).isEqualTo(usual);
        sample(other, "--solver", "lcm", "--temperature", "0.5").good();
        assertThat(ImageDecoder.read(folder.resolve("out.png")).pixels()).isNotEqualTo(usual);
    }
}
