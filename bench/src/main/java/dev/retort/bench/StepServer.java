package dev.retort.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.retort.card.NetworkSpec;
import dev.retort.torch.Device;
import dev.retort.torch.Machine;
import dev.retort.torch.MatmulPeak;
import dev.retort.torch.Natives;
import dev.retort.torch.Precision;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Our side of the comparison, in a process of its own: a line of JSON in, a line of JSON out, as {@code dit_peer.py}. */
final class StepServer {
    private static final JsonMapper JSON = new JsonMapper();
    private static final OperatingSystemMXBean CPU = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private final Device device;
    private Step step;

    private StepServer(Device device) {
        this.device = device;
    }

    public static void main(String[] args) throws IOException {
        Natives.load();
        Device device = Device.choose(args[0]).device();
        String library = device.isCuda() ? Natives.libraries() : Natives.description();
        say(Map.of("library", library, "empty_rss_mb", megabytes(device.isCuda() ? 0 : Machine.residentBytes())));
        StepServer server = new StepServer(device);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode command = JSON.readTree(line);
            if (command.get("op").asString().equals("quit")) {
                break;
            }
            say(server.answer(command));
        }
    }

    private Map<String, Object> answer(JsonNode command) {
        switch (command.get("op").asString()) {
            case "open":
                step = open(command);
                return Map.of("parameters", step.parameters());
            case "run":
                return run(command.get("count").asInt());
            case "peak":
                return Map.of(
                        "gflops", MatmulPeak.measure(isBf16(command) ? Precision.BF16 : Precision.FP32, device) / 1e9);
            default:
                step.close();
                step = null;
                return Map.of();
        }
    }

    private Step open(JsonNode command) {
        BenchCase what = new BenchCase(
                command.get("model").asString(),
                command.get("batch").asInt(),
                command.get("kind").asString().equals("train"),
                isBf16(command));
        NetworkSpec spec = command.path("skeleton").asBoolean(false) ? what.skeleton() : what.spec();
        return what.train()
                ? new TrainingStep(spec, what.batch(), what.bf16(), device)
                : new SamplingStep(spec, what.batch(), what.bf16(), device);
    }

    private static boolean isBf16(JsonNode command) {
        return command.get("precision").asString().equals("bf16");
    }

    private Map<String, Object> run(int count) {
        double[] seconds = new double[count];
        double[] cpuSeconds = new double[count];
        double value = 0;
        for (int i = 0; i < count; i++) {
            long used = CPU.getProcessCpuTime();
            long start = System.nanoTime();
            value = step.run();
            seconds[i] = (System.nanoTime() - start) / 1e9;
            cpuSeconds[i] = (CPU.getProcessCpuTime() - used) / 1e9;
        }
        return Map.of(
                "seconds",
                seconds,
                "cpu_seconds",
                cpuSeconds,
                "value",
                value,
                "rss_mb",
                megabytes(Machine.residentBytes()),
                "peak_rss_mb",
                megabytes(device.peakBytes()));
    }

    private static double megabytes(long bytes) {
        return bytes / 1048576.0;
    }

    private static void say(Map<String, Object> answer) {
        System.out.println(JSON.writeValueAsString(answer));
    }
}
