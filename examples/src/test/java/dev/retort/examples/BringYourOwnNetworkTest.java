package dev.retort.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.retort.config.Configs;
import dev.retort.distill.Recipe;
import dev.retort.graph.Graph;
import dev.retort.io.SafetensorsFile;
import dev.retort.layout.ModelFiles;
import dev.retort.model.NetworkGraph;
import dev.retort.nn.Init;
import dev.retort.run.RunFolder;
import dev.retort.torch.Device;
import dev.retort.torch.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BringYourOwnNetworkTest {
    private static final Path RESOURCES = Path.of("src/main/resources");

    @TempDir
    Path temp;

    @Test
    void a_network_of_ones_own_is_trained_distilled_with_features_and_draws_by_ordinary_files() throws Exception {
        Path teacher = BringYourOwnNetwork.train(
                RESOURCES.resolve("mixer-teacher.yaml"), temp.resolve("teacher"), List.of("images=320"));
        Path student = BringYourOwnNetwork.distil(
                RESOURCES.resolve("mixer-student.yaml"),
                temp.resolve("student"),
                List.of("teacher.model=" + teacher, "stages.0.images=160", "stages.1.images=160"));
        assertThat(ModelFiles.card(teacher).network()).isInstanceOf(MixerSpec.class);
        assertThat(ModelFiles.card(student).network().name()).isEqualTo("Mixer-2x48");
        Path newest = new RunFolder(temp.resolve("student")).newest().orElseThrow();
        try (SafetensorsFile saved = SafetensorsFile.open(newest.resolve("training.safetensors"))) {
            assertThat(saved.entry("extra.feature.connector.1-3.weight").shape())
                    .containsExactly(96, 48);
        }
        DrawSamples.draw(student, temp.resolve("student.png"));
        assertThat(Files.size(temp.resolve("student.png"))).isGreaterThan(1000);
        Recipe kept = Configs.load(
                Recipe.class, "distill", temp.resolve("student/config.yaml").toString(), List.of());
        assertThat(kept.student()).isEqualTo(new MixerConfig(48, 2, 0.1));
    }

    @Test
    void what_its_spec_counts_is_what_its_graph_holds() {
        MixerSpec spec = new MixerSpec(3, 16, 8, 48, 2, 10, true, true);
        try (Scope scope = Scope.open();
                Mixer mixer = new Mixer(spec, Init.of(1, Device.CPU))) {
            Graph graph = NetworkGraph.of(mixer, List.of());
            assertThat(graph.macs(1)).isEqualTo(spec.macs());
            assertThat(graph.parameters()).isEqualTo(spec.parameters());
            assertThat(mixer.parameterCount()).isEqualTo(spec.parameters());
        }
    }
}
