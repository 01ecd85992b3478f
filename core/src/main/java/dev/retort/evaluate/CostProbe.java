package dev.retort.evaluate;

import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.TrainedFor;
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
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import tools.jackson.databind.json.JsonMapper;

/**
 * The process in which one model is measured and nothing else happens. Reads one JSON {@link ProbeRequest} as its first line, then
 * a number on each line: draw that many batches. Answers each line by one JSON line; the end of the input ends it.
 */
public final class CostProbe {
    /**
     * What to measure.
     *
     * @param model folder of the model
     * @param baseline whether the least network of its architecture stands in the model's place, and nothing is decoded
     * @param sampling how it is sampled
     * @param batch images drawn together
     * @param device {@code cpu} or {@code cuda:n}
     * @param precision arithmetic of the network
     * @param threads CPU threads; 0 for the automatic number
     * @param autoencoder where the decoder of its latents lies; empty for the place its card names
     */
    record ProbeRequest(
            String model,
            boolean baseline,
            SamplingSpec sampling,
            int batch,
            String device,
            Precision precision,
            int threads,
            String autoencoder) {}

    /** In the first answer, when the model is loaded: 1 if this process was the one that timed the kernels, 0 else. */
    static final String TIMED_KERNELS = "timedKernels";

    private final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    private CostProbe() {}

    /** Serves until the input ends. */
    public static void main(String[] args) throws IOException {
        new CostProbe().serve();
    }

    private void serve() throws IOException {
        ProbeRequest request = CardFile.value(JsonMapper.shared().readTree(in.readLine()), ProbeRequest.class);
        Natives.load();
        Natives.threads(request.threads());
        Device device = Device.choose(request.device()).device();
        try (Pipeline<Denoiser> model = load(request, device);
                ImageCodec codec = codec(request, model, device)) {
            ModelCard any =
                    model.card().withTrainedFor(TrainedFor.ANY); // whoever asks has looked whether it may be sampled so
            Sampler sampler = Sampling.sampler(model.network(), any, request.sampling(), request.precision());
            answer(Map.of(TIMED_KERNELS, !device.isCuda() && Kernels.measuredHere() ? 1 : 0));
            List<String> own = model.card().classes();
            List<String> classes = own.isEmpty() ? List.of("") : own; // what a text says costs nothing
            List<Integer> turn = own.isEmpty() ? List.of(0) : model.card().labels();
            long drawn = 0;
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                int batches = Integer.parseInt(line);
                long started = System.nanoTime();
                for (int i = 0; i < batches; i++) {
                    draw(sampler, codec, Prompts.named(labels(turn, request.batch()), classes), drawn);
                    drawn += request.batch();
                }
                double seconds = (System.nanoTime() - started) / 1e9;
                answer(Map.of("seconds", seconds, "peakBytes", device.peakBytes()));
            }
        }
    }

    private static Pipeline<Denoiser> load(ProbeRequest request, Device device) {
        Path folder = Path.of(request.model());
        if (!request.baseline()) {
            return Models.open(folder, device, request.precision());
        }
        ModelCard card = Models.card(folder);
        NetworkSpec least = Architectures.of(card.network()).minimal(card.network());
        try (Scope scope = Scope.open();
                Network network = Architectures.build(least, Init.of(0, device))) {
            return new Pipeline<>(Architectures.pack(network, request.precision()), card, List.of());
        }
    }

    private static ImageCodec codec(ProbeRequest request, Pipeline<Denoiser> model, Device device) {
        return request.baseline()
                ? ImageCodec.pixels(model.network().spec())
                : ImageCodec.of(model.card(), request.autoencoder(), device);
    }

    private static int[] labels(List<Integer> turn, int batch) {
        return IntStream.range(0, batch).map(i -> turn.get(i % turn.size())).toArray();
    }

    private static void draw(Sampler sampler, ImageCodec codec, Prompts prompts, long first) {
        try (Scope scope = Scope.open()) {
            long[] indices = LongStream.range(first, first + prompts.size()).toArray();
            Tensors.floats(codec.decode(sampler.sample(prompts, 0, indices)));
        }
    }

    private static void answer(Map<String, ?> values) {
        System.out.println(JsonMapper.shared().writeValueAsString(values));
        System.out.flush();
    }
}
