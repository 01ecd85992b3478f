package dev.retort.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.NetworkSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TextCard;
import dev.retort.card.TextToImageSpec;
import dev.retort.data.CaptionedShapes;
import dev.retort.data.DataConfig;
import dev.retort.data.ImageSource;
import dev.retort.data.Note;
import dev.retort.io.PixelImage;
import dev.retort.io.Png;
import dev.retort.pipeline.Models;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which tokens a text-to-image network knows that begins with another model's weights. */
class TextToImageStartTest {
    private static final int SIZE = 16;

    @TempDir
    static Path temp;

    private static Path first;
    private static DataConfig photos;

    private static TextToImageConfig network(int vocabulary, int length) {
        return new TextToImageConfig(
                List.of(8), 1, List.of(1), 8, new TextToImageConfig.Encoder(vocabulary, length, 8, 1, 2), 0.1);
    }

    private static TrainConfig config(TextToImageConfig network, DataConfig data) {
        RunConfig run = new RunConfig(
                7,
                4,
                data,
                new OptimizerConfig(1e-3, "constant", 0, 0.9, 0.99, 1e-8, 0, 1),
                new EmaConfig(List.of(0.9)),
                new ComputeConfig("cpu", "fp32", false, 4, 0, 1),
                new LogConfig(4, 0, 2, 64),
                SamplingSpec.of("flow-euler", 2, 1));
        return new TrainConfig(12, network, new Objective.Flow(0, 1, 1), run);
    }

    private static Path train(TrainConfig config, String initFrom, String name) {
        return Training.run(config, initFrom, temp.resolve(name), Map.of(), n -> {}, (d, t, s) -> {}, () -> false);
    }

    private static TextCard text(Path model) {
        return Models.card(model).text();
    }

    @BeforeAll
    static void a_model_of_shapes_and_pictures_of_something_else() throws Exception {
        first = train(config(network(300, 12), new DataConfig.CaptionedShapes("train", SIZE, false)), "", "first");
        Path folder = Files.createDirectories(temp.resolve("photos/all"));
        for (int i = 0; i < 8; i++) {
            Png.write(folder.resolve(i + ".png"), new PixelImage(3, SIZE, SIZE, new byte[3 * SIZE * SIZE]));
            Files.writeString(folder.resolve(i + ".txt"), "zebras quietly munching hay " + i);
        }
        photos = new DataConfig.Folder(temp.resolve("photos").toString(), "train", SIZE, false);
    }

    @Test
    void it_keeps_the_tokenizer_of_the_model_it_starts_from_also_when_it_is_resumed() {
        TrainConfig config = config(network(512, 12), photos);
        AtomicInteger steps = new AtomicInteger();
        Path run = temp.resolve("second");
        assertThatThrownBy(() -> Training.run(
                        config,
                        first.toString(),
                        run,
                        Map.of(),
                        n -> {},
                        (d, t, s) -> {},
                        () -> steps.incrementAndGet() == 2))
                .hasMessageContaining("the same command resumes");
        Path second = train(config, "", "second");
        assertThat(text(second)).isEqualTo(text(first));
        Path alone = train(config, "", "alone");
        assertThat(text(alone).tokenizers()).isNotEqualTo(text(first).tokenizers());
    }

    @Test
    void a_tokenizer_that_the_configuration_does_not_allow_is_refused() {
        int tokens = text(first).tokenizers().get(0).vocabulary();
        assertThatThrownBy(() -> train(config(network(tokens - 1, 12), photos), first.toString(), "fewer"))
                .hasMessageContaining("model.text asks for 1 encoder of at most " + (tokens - 1) + " tokens")
                .hasMessageContaining("let model.text.vocabulary be " + tokens + " and model.text.length 12");
        assertThatThrownBy(() -> train(config(network(512, 24), photos), first.toString(), "longer"))
                .hasMessageContaining("texts of 24")
                .hasMessageContaining("model.text.length 12");
        assertThat(temp.resolve("longer/config.yaml")).doesNotExist();
    }

    @Test
    void captions_are_read_once() {
        AtomicLong reads = new AtomicLong();
        ImageSource shapes = new CaptionedShapes(SIZE, "train");
        ImageSource counted = new Counted(shapes, reads);
        TrainConfig config = config(network(300, 12), photos);
        Optional<TextCard> text = config.model().text(counted);
        long once = reads.get();
        NetworkSpec spec = config.network(text, counted);
        assertThat(once).isPositive();
        assertThat(reads).hasValue(once);
        assertThat(spec).isEqualTo(config.network(shapes));
        assertThat(((TextToImageSpec) spec).encoders().get(0).vocabulary())
                .isEqualTo(text.orElseThrow().tokenizers().get(0).vocabulary());
    }

    /** Counts what is read. */
    private record Counted(ImageSource images, AtomicLong reads) implements ImageSource {
        @Override
        public String name() {
            return images.name();
        }

        @Override
        public int channels() {
            return images.channels();
        }

        @Override
        public int height() {
            return images.height();
        }

        @Override
        public int width() {
            return images.width();
        }

        @Override
        public List<String> classNames() {
            return images.classNames();
        }

        @Override
        public long size() {
            return images.size();
        }

        @Override
        public Note read(long index, float[] out, int offset) {
            reads.incrementAndGet();
            return images.read(index, out, offset);
        }

        @Override
        public void requireCaptions() {
            images.requireCaptions();
        }
    }
}
