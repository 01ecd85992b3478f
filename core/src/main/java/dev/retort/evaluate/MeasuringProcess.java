package dev.retort.evaluate;

import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.config.CardFile;
import dev.retort.data.Prompts;
import dev.retort.model.Denoiser;
import dev.retort.model.Network;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.ImageCodec;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.sample.Sampler;
import dev.retort.sample.Sampling;
import dev.retort.torch.Device;
import dev.retort.torch.Kernels;
import dev.retort.torch.Natives;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import tools.jackson.databind.json.JsonMapper;

/**
 * The process in which one model is measured and nothing else happens. Reads one JSON {@link Order} as its first line, then
 * a number on each line: draw that many batches. Answers each line by one JSON line; the end of the input ends it.
 */
public final class MeasuringProcess {
    /**
     * What to measure.
     *
     * @param model folder of the model
     * @param empty whether the least network of its architecture stands in the model's place, and nothing is decoded
     * @param sampling how it is sampled
     * @param batch images drawn together
     * @param device {@code cpu} or {@code cuda:n}
     * @param precision arithmetic of the network
     * @param threads CPU threads; 0 for the automatic number
     * @param autoencoder where the decoder of its latents lies; empty for the place its card names
     */
    record Order(
            String model,
            boolean empty,
            SamplingSpec sampling,
            int batch,
            String device,
            Precision precision,
            int threads,
            String autoencoder) {}

    /** In the first answer, when the model is loaded: 1 if this process was the one that timed the kernels, 0 else. */
    static final String TIMED_KERNELS = "timedKernels";

    private final PrintStream out =
            new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    private final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    private MeasuringProcess() {}

    /** Serves until the input ends. */
    public static void main(String[] args) throws IOException {
        new MeasuringProcess().serve();
    }

    private void serve() throws IOException {
        Order order = CardFile.value(JsonMapper.shared().readTree(in.readLine()), Order.class);
        Natives.load();
        Natives.threads(order.threads());
        Device device = Device.choose(order.device()).device();
        try (Pipeline<Denoiser> model = load(order, device);
                ImageCodec codec = codec(order, model, device)) {
            Sampler sampler = Sampling.sampler(model.network(), model.card(), order.sampling(), order.precision());
            answer(Map.of(TIMED_KERNELS, !device.isCuda() && Kernels.measuredHere() ? 1 : 0));
            long drawn = 0;
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                int batches = Integer.parseInt(line);
                long started = System.nanoTime();
                for (int i = 0; i < batches; i++) {
                    draw(sampler, codec, model.card().classes().size(), drawn, order.batch());
                    drawn += order.batch();
                }
                double seconds = (System.nanoTime() - started) / 1e9;
                answer(Map.of("seconds", seconds, "peakBytes", device.peakBytes()));
            }
        }
    }

    private static Pipeline<Denoiser> load(Order order, Device device) {
        Path folder = Path.of(order.model());
        if (!order.empty()) {
            return Models.open(folder, device, order.precision());
        }
        ModelCard card = Models.card(folder);
        NetworkSpec least = Architectures.of(card.network()).minimal(card.network());
        try (Scope scope = Scope.open();
                Network network = Architectures.build(least, Init.of(0, device))) {
            return new Pipeline<>(Architectures.pack(network, order.precision()), card, List.of());
        }
    }

    private static ImageCodec codec(Order order, Pipeline<Denoiser> model, Device device) {
        return order.empty()
                ? ImageCodec.pixels(model.network().spec())
                : ImageCodec.of(model.card(), order.autoencoder(), device);
    }

    private static void draw(Sampler sampler, ImageCodec codec, int classes, long first, int batch) {
        Prompts prompts = new Prompts.Labels(
                IntStream.range(0, batch).map(i -> i % classes).toArray());
        try (Scope scope = Scope.open()) {
            Tensors.floats(codec.decode(sampler.sample(
                    prompts, 0, LongStream.range(first, first + batch).toArray())));
        }
    }

    private void answer(Map<String, ?> values) {
        out.println(JsonMapper.shared().writeValueAsString(values));
    }
}
