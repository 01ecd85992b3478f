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
import dev.retort.runtime.Request;
import dev.retort.runtime.Student;
import dev.retort.runtime.StudentOptions;
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
     * @param engine what computes
     * @param model folder of the model, or its ONNX file
     * @param baseline whether the least network of its architecture stands in the model's place, and nothing is decoded
     * @param sampling how it is sampled
     * @param batch images drawn together
     * @param device {@code cpu} or {@code cuda:n}
     * @param precision arithmetic of the network
     * @param threads CPU threads; 0 for the automatic number
     * @param autoencoder where the decoder of its latents lies; empty for the place its card names
     */
    record ProbeRequest(
            Engine engine,
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

    /** Draws a batch. */
    private interface Batch {
        /** @param drawn images before it */
        void draw(long drawn);
    }

    private void serve() throws IOException {
        ProbeRequest request = CardFile.value(JsonMapper.shared().readTree(in.readLine()), ProbeRequest.class);
        switch (request.engine()) {
            case LIBTORCH -> serveModel(request);
            case ONNX_RUNTIME -> serveFile(request);
        }
    }

    /** By ONNX Runtime alone: libtorch is not loaded, so that its memory does not count. */
    private void serveFile(ProbeRequest request) throws IOException {
        StudentOptions options = StudentOptions.latency()
                .threads(request.threads())
                .batchSizes(request.batch())
                .maxImages(request.batch());
        try (Student student = Student.open(Path.of(request.model()), options)) {
            answer(Map.of(TIMED_KERNELS, 0));
            Request turn = inTurn(student, request.batch());
            turns(
                    request.batch(),
                    Device.CPU,
                    drawn -> student.sample(
                            turn.seed(drawn).steps(request.sampling().steps())));
        }
    }

    private void serveModel(ProbeRequest request) throws IOException {
        Natives.load();
        Natives.threads(request.threads());
        Device device = Device.choose(request.device()).device();
        try (Pipeline<Denoiser> model = load(request, device);
                ImageCodec codec = codec(request, model, device)) {
            ModelCard any =
                    model.card().withTrainedFor(TrainedFor.ANY); // whoever asks has looked whether it may be sampled so
            Sampler sampler = Sampling.sampler(model.network(), any, request.sampling(), request.precision());
            answer(Map.of(TIMED_KERNELS, !device.isCuda() && Kernels.measuredHere() ? 1 : 0));
            Prompts prompts = Prompts.inTurn(model.card(), 0, request.batch());
            turns(request.batch(), device, drawn -> draw(sampler, codec, prompts, drawn));
        }
    }

    /** Draws as many batches as each line says. */
    private void turns(int size, Device device, Batch batch) throws IOException {
        long drawn = 0;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            int batches = Integer.parseInt(line);
            long started = System.nanoTime();
            for (int i = 0; i < batches; i++) {
                batch.draw(drawn);
                drawn += size;
            }
            double seconds = (System.nanoTime() - started) / 1e9;
            answer(Map.of("seconds", seconds, "peakBytes", device.peakBytes()));
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
                ? ImageCodec.pixels(model.network().spec().shape())
                : ImageCodec.of(model.card(), request.autoencoder(), device);
    }

    /** So many pictures of what a student draws, one after another. */
    private static Request inTurn(Student student, int batch) {
        List<Integer> labels = student.labels();
        List<String> texts = student.prompts();
        if (!texts.isEmpty()) {
            return Request.ofPrompts(IntStream.range(0, batch)
                    .mapToObj(i -> texts.get(i % texts.size()))
                    .toArray(String[]::new));
        }
        return labels.isEmpty()
                ? Request.of().count(batch)
                : Request.of(IntStream.range(0, batch)
                        .map(i -> labels.get(i % labels.size()))
                        .toArray());
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
