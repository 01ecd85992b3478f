package dev.retort.export;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.Plain;
import dev.retort.card.DitSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.data.Prompts;
import dev.retort.diffusion.Purpose;
import dev.retort.model.NetworkGraph;
import dev.retort.model.Weights;
import dev.retort.model.dit.Dit;
import dev.retort.sample.Sampler;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.GraphReplay;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** An archive in Python. Skipped where the system property {@code retort.python} names no Python that has PyTorch. */
@EnabledIfSystemProperty(named = "retort.python", matches = ".+")
class TorchScriptPythonTest {
    /** Reads float tensors of a safetensors file, then calls the archive and says how far its answers are from those expected. */
    private static final String PROGRAM = """
            import json, struct, sys, torch
            raw = open(sys.argv[2], "rb").read()
            length = struct.unpack("<Q", raw[:8])[0]
            given = {}
            for name, entry in json.loads(raw[8:8 + length]).items():
                if name != "__metadata__":
                    begin, end = entry["data_offsets"]
                    values = torch.frombuffer(bytearray(raw[8 + length + begin:8 + length + end]), dtype=torch.float32)
                    given[name] = values.reshape(entry["shape"])
            extra = {"retort.json": ""}
            network = torch.jit.load(sys.argv[1], _extra_files=extra)
            label = given["label"].long()
            def error(found, expected):
                return ((found - expected).abs().max() / expected.abs().max()).item()
            with torch.no_grad():
                print(error(network(given["x"], given["time"], label), given["output"]))
                noises = [given[name] for name in given if name.startswith("noises.")]
                more = (noises,) if noises else ()
                print(error(network.sample(given["noise"], label, *more), given["samples"]))
            print(extra["retort.json"].decode())
            print(torch.__version__)
            print("\\n".join(name for name, _ in network.named_parameters()))
            """;

    @TempDir
    Path folder;

    static Stream<Arguments> ways() {
        return Stream.of(
                Arguments.of(TorchScriptSampleTest.PLAIN, SamplingSpec.of("dpmpp-2m", 4, 2)),
                Arguments.of(TorchScriptSampleTest.VARIANCE, SamplingSpec.of("ddpm", 3, 2)));
    }

    @ParameterizedTest
    @MethodSource("ways")
    void python_opens_an_archive_and_computes_and_samples_the_same(DitSpec spec, SamplingSpec way)
            throws IOException, InterruptedException {
        Path archive = folder.resolve("student.pt");
        Path values = folder.resolve("values.safetensors");
        List<String> parameters;
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on();
                Dit dit = TorchScriptSampleTest.network(spec)) {
            Sampler sampler = TorchScriptSampleTest.sampler(dit, ProcessSpec.ddpm(), way);
            TorchScriptSampleTest.write(archive, dit, sampler);
            Tensor label = Tensors.of(TorchScriptSampleTest.LABELS, Device.CPU);
            Tensor x = TorchScriptSampleTest.noise(Purpose.SAMPLE_STEP, 0);
            Tensor time = Plain.tensor(new double[] {999, 400, 3}, 3);
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            tensors.put("x", x);
            tensors.put("time", time);
            tensors.put("label", label);
            tensors.put(
                    "output",
                    new GraphReplay(NetworkGraph.of(dit, List.of()), dit.state(), Device.CPU).run(x, time, label)[0]);
            tensors.put("noise", TorchScriptSampleTest.noise(Purpose.SAMPLE_START, 0));
            List<Tensor> noises = TorchScriptSampleTest.noises(sampler.plan());
            for (int i = 0; i < noises.size(); i++) {
                tensors.put("noises." + i, noises.get(i));
            }
            tensors.put(
                    "samples",
                    sampler.sample(
                            new Prompts.Labels(TorchScriptSampleTest.LABELS),
                            TorchScriptSampleTest.SEED,
                            new long[] {0, 1, 2}));
            Weights.writer(tensors, Dtype.F32).write(values);
            parameters = List.copyOf(dit.parameters().keySet());
        }
        Process python = new ProcessBuilder(
                        System.getProperty("retort.python"), "-c", PROGRAM, archive.toString(), values.toString())
                .redirectError(folder.resolve("errors").toFile()) // warnings too, such as that there is no NumPy
                .start();
        List<String> said =
                new String(python.getInputStream().readAllBytes()).lines().toList();
        assertThat(python.waitFor())
                .as(Files.readString(folder.resolve("errors")))
                .isZero();
        assertThat(Double.parseDouble(said.get(0))).isLessThan(1e-5);
        assertThat(Double.parseDouble(said.get(1))).isLessThan(1e-5);
        assertThat(said.get(2)).isEqualTo("{}");
        assertThat(said.subList(4, said.size())).containsExactlyInAnyOrderElementsOf(parameters);
    }
}
