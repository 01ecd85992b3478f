package dev.retort.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.ClampSpec;
import dev.retort.card.ConditionSpec;
import dev.retort.card.DitConvention;
import dev.retort.card.DitSpec;
import dev.retort.card.GridSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.card.TapPoint;
import dev.retort.config.OneLine;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import dev.retort.io.SafetensorsWriter;
import dev.retort.layout.ModelFiles;
import dev.retort.model.Network;
import dev.retort.model.Weights;
import dev.retort.model.dit.Dit;
import dev.retort.nn.Init;
import dev.retort.torch.Device;
import dev.retort.torch.Dtype;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class ModelsTest {
    private static final DitSpec SPEC = new DitSpec(8, 8, 1, 2, 16, 1, 2, 4, 3, 0.1, false, false);

    @TempDir
    Path temp;

    private Path folder;
    private ModelCard card;

    @BeforeEach
    void save() {
        folder = temp.resolve("model");
        card = ModelCard.of(
                SPEC.with(new DitConvention(1, 1e-5)),
                ProcessSpec.flow(),
                SamplingSpec.of("flow-euler", 3, 1),
                List.of("a", "b", "c"),
                "shapes",
                5,
                1,
                "",
                Map.of("host", "here"));
        try (Scope scope = Scope.open();
                Dit dit = new Dit(SPEC.with(new DitConvention(1, 1e-5)), Init.of(1, Device.CPU))) {
            ModelFiles.save(folder, card, Weights.writer(dit.state(), Dtype.BF16));
        }
    }

    @Test
    void a_model_comes_back_with_its_card_and_its_values_to_the_precision_it_was_saved_in() {
        assertThat(Models.card(folder)).isEqualTo(card);
        try (Scope scope = Scope.open();
                Dit origin = new Dit(SPEC.with(new DitConvention(1, 1e-5)), Init.of(1, Device.CPU));
                Pipeline<Network> loaded = Models.load(folder, Device.CPU)) {
            origin.state().forEach((name, tensor) -> {
                float[] expected = Tensors.floats(Dtype.BF16.cast(tensor));
                assertThat(Tensors.floats(loaded.network().state().get(name)))
                        .as(name)
                        .isEqualTo(expected);
            });
        }
    }

    @Test
    void a_card_of_format_1_means_the_originals_forward() throws Exception {
        Path file = folder.resolve(ModelFiles.CARD);
        ObjectNode json = (ObjectNode) JsonMapper.shared().readTree(Files.readString(file));
        json.put("format", 1);
        ((ObjectNode) json.get("network")).remove("convention");
        Files.writeString(file, json.toString());
        assertThat(Models.card(folder).network()).isEqualTo(SPEC);
        json.put("format", ModelCard.FORMAT);
        Files.writeString(file, json.toString());
        assertThatThrownBy(() -> Models.card(folder)).hasMessageContaining("convention");
    }

    /** As it was written before: no grid, no clamp, constants in capitals. */
    @Test
    void a_card_of_format_2_means_the_grid_and_the_clamp_that_followed_from_its_process() throws Exception {
        Path file = folder.resolve(ModelFiles.CARD);
        ObjectNode json = (ObjectNode) JsonMapper.shared().readTree(Files.readString(file));
        assertThat(json.get("process").get("prediction").asString()).isEqualTo("flow");
        json.put("format", 2);
        ((ObjectNode) json.get("process")).put("prediction", "FLOW");
        ObjectNode sampling = (ObjectNode) json.get("sampling");
        sampling.remove("grid");
        sampling.remove("clamp");
        assertThat(((ObjectNode) json.get("network")).remove("type").asString()).isEqualTo("dit");
        Files.writeString(file, json.toString());
        assertThat(Models.card(folder)).isEqualTo(card);
        json.put("format", 3);
        Files.writeString(file, json.toString());
        assertThatThrownBy(() -> Models.card(folder)).hasMessageContaining("type");
    }

    /** As it was written before: nothing of the noise's temperature and of what the model was trained for. */
    @Test
    void a_card_of_format_3_means_a_model_that_is_sampled_in_any_way() throws Exception {
        Path file = folder.resolve(ModelFiles.CARD);
        ObjectNode json = (ObjectNode) JsonMapper.shared().readTree(Files.readString(file));
        assertThat(json.get("format").asInt()).isEqualTo(4);
        json.put("format", 3);
        json.remove("trainedFor");
        ((ObjectNode) json.get("sampling")).remove("temperature");
        Files.writeString(file, json.toString());
        assertThat(Models.card(folder)).isEqualTo(card);
        json.put("format", 4);
        Files.writeString(file, json.toString());
        assertThatThrownBy(() -> Models.card(folder)).hasMessageContaining("temperature");
    }

    @Test
    void a_card_that_names_no_classes_and_no_scales_of_guidance_it_was_trained_for_means_all() throws Exception {
        Path file = folder.resolve(ModelFiles.CARD);
        ObjectNode json = (ObjectNode) JsonMapper.shared().readTree(Files.readString(file));
        ObjectNode trained = (ObjectNode) json.get("trainedFor");
        assertThat(trained.remove("classes").toString()).isEqualTo("[]");
        assertThat(trained.remove("guidanceInput").toString()).isEqualTo("null");
        Files.writeString(file, json.toString());
        assertThat(Models.card(folder)).isEqualTo(card);
    }

    @Test
    void a_card_that_does_not_say_which_numbers_its_network_is_told_means_none() throws Exception {
        Path file = folder.resolve(ModelFiles.CARD);
        ObjectNode json = (ObjectNode) JsonMapper.shared().readTree(Files.readString(file));
        assertThat(((ObjectNode) json.get("network")).remove("scalars").toString())
                .isEqualTo("{\"guidance\":false,\"endTime\":0.0}");
        Files.writeString(file, json.toString());
        assertThat(Models.card(folder)).isEqualTo(card);
        ObjectNode told = ((ObjectNode) json.get("network")).putObject("scalars");
        told.put("guidance", true).put("endTime", 1000);
        Files.writeString(file, json.toString());
        assertThat(Models.card(folder).network().scalars()).isEqualTo(new ScalarInputs(true, 1000));
    }

    @Test
    void a_card_keeps_every_option_of_its_sampling_in_a_line() throws Exception {
        SamplingSpec spec = SamplingSpec.of("dpmpp-3m:rule=exact", 4, 1.5)
                .with(4, OneLine.parse(GridSpec.class, "times:at=900,500.5,20,0,end=lowest"))
                .with(OneLine.parse(ClampSpec.class, "dynamic:max=2"))
                .withGuidance(1.5, 0.1, 0.8, 1);
        ModelCard said =
                ModelCard.of(SPEC, ProcessSpec.ddpm(), spec, List.of("a", "b", "c"), "shapes", 5, 1, "", Map.of());
        Path place = temp.resolve("said");
        try (Scope scope = Scope.open();
                Dit dit = new Dit(SPEC, Init.of(1, Device.CPU))) {
            ModelFiles.save(place, said, Weights.writer(dit.state(), Dtype.F32));
        }
        assertThat(Models.card(place)).isEqualTo(said);
        assertThat(Files.readString(place.resolve(ModelFiles.CARD)))
                .contains("\"solver\" : \"dpmpp-3m:rule=exact\"")
                .contains("\"grid\" : \"times:at=900,500.5,20,0,end=lowest\"")
                .contains("\"clamp\" : \"dynamic:max=2\"");
    }

    /** A network that the library has never seen. */
    record OwnSpec(int channels, int height, int width, int classes) implements NetworkSpec {
        @Override
        public String name() {
            return "own";
        }

        @Override
        public ConditionSpec condition() {
            return ConditionSpec.ofClasses(classes, false);
        }

        @Override
        public boolean learnSigma() {
            return false;
        }

        @Override
        public long parameters() {
            return 0;
        }

        @Override
        public long macs() {
            return 0;
        }

        @Override
        public List<TapPoint> taps() {
            return List.of();
        }
    }

    @Test
    void a_network_of_ones_own_is_named_in_its_card_by_its_class_and_any_other_class_is_refused() throws Exception {
        ModelCard own = ModelCard.of(
                new OwnSpec(1, 8, 8, 3),
                ProcessSpec.flow(),
                card.sampling(),
                card.classes(),
                "shapes",
                5,
                1,
                "",
                Map.of());
        Path place = temp.resolve("own");
        ModelFiles.save(place, own, new SafetensorsWriter().add("a", new long[] {1}, new float[1]));
        assertThat(Models.card(place)).isEqualTo(own);
        assertThatThrownBy(() -> Models.load(place, Device.CPU))
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.ENVIRONMENT))
                .hasMessageContaining("nothing here builds the network own")
                .hasMessageContaining("META-INF/services/dev.retort.pipeline.Architecture");
        Path file = place.resolve(ModelFiles.CARD);
        for (String type : List.of("java.lang.ProcessBuilder", "no.such.Class")) {
            String json = Files.readString(file).replaceFirst("\"type\" : \"[^\"]*\"", "\"type\" : \"" + type + "\"");
            Files.writeString(file, json);
            assertThatThrownBy(() -> Models.card(place))
                    .isInstanceOfSatisfying(
                            RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT))
                    .hasMessageContaining("cannot be read as the card of a model");
        }
    }

    @Test
    void what_does_not_fit_is_listed_for_training_and_sampling_alike() {
        SafetensorsWriter writer = new SafetensorsWriter();
        writer.add("pos_embed", new long[] {1, 16, 8}, new float[128]);
        writer.add("stranger", new long[] {1}, new float[1]);
        writer.write(folder.resolve(ModelFiles.WEIGHTS));
        List<Runnable> ways =
                List.of(() -> Models.load(folder, Device.CPU), () -> Models.open(folder, Device.CPU, Precision.FP32));
        assertThat(ways).allSatisfy(way -> assertThatThrownBy(way::run)
                .isInstanceOfSatisfying(
                        RetortException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CHECKPOINT))
                .hasMessageContaining("another architecture: missing x_embedder.proj.weight")
                .hasMessageContaining(" and 13 more; unexpected stranger; mis-shaped pos_embed of shape [1, 16, 8]"));
    }
}
