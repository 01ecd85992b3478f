package dev.retort.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.retort.card.DitSpec;
import dev.retort.card.ModelCard;
import dev.retort.card.NetworkSpec;
import dev.retort.card.Part;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingPlan;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScalarInputs;
import dev.retort.data.Prompts;
import dev.retort.model.Condition;
import dev.retort.model.Denoiser;
import dev.retort.model.LabelConditioner;
import dev.retort.model.Moment;
import dev.retort.model.Request;
import dev.retort.nn.Taps;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.torch.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SamplerTest {
    private static final DitSpec SPEC = new DitSpec(8, 8, 1, 2, 16, 1, 2, 2, 3, 0.1, false, false);

    /** Writes down what it is asked. */
    private static final class Asked implements Denoiser {
        final DitSpec spec;
        final List<Long> rows = new ArrayList<>();
        final List<String> requests = new ArrayList<>();

        final List<Moment> moments = new ArrayList<>();

        Asked(DitSpec spec) {
            this.spec = spec;
        }

        @Override
        public Tensor forward(Tensor x, Tensor time, Condition condition, Taps taps) {
            rows.add(x.size(0));
            assertThat(condition.rows()).isEqualTo(x.size(0));
            return Ops.mul(x, 0.5);
        }

        @Override
        public Request open(List<Moment> moments, Condition condition) {
            StringBuilder text = new StringBuilder(moments.size() + " steps:");
            for (long label : Tensors.longs(condition.get(Part.LABEL))) {
                text.append(' ').append(label);
            }
            requests.add(text.toString());
            this.moments.addAll(moments);
            return Denoiser.super.open(moments, condition);
        }

        @Override
        public NetworkSpec spec() {
            return spec;
        }

        @Override
        public Device device() {
            return Device.CPU;
        }

        @Override
        public void close() {}
    }

    @ParameterizedTest
    @CsvSource({
        "1, 0, 1, 2 2 2 2, 4 steps: 2 0",
        "3, 0, 1, 4 4 4 4, 4 steps: 2 0 3 3",
        "3, 0.4, 0.8, 2 4 4 2, 4 steps: 2 0 3 3"
    })
    void one_request_serves_guided_steps_and_others(double scale, double from, double to, String rows, String request) {
        SamplingSpec spec = SamplingSpec.of("ddim", 4, scale).withGuidance(scale, from, to, 0);
        Asked network = new Asked(SPEC);
        Sampler sampler = new Sampler(
                network,
                new LabelConditioner(SPEC.condition()),
                SamplingPlan.of(ProcessSpec.ddpm().process(), spec, false),
                spec.guidance(999),
                Precision.FP32);
        try (Scope scope = Scope.open()) {
            sampler.sample(new Prompts.Labels(new int[] {2, 0}), 7, new long[] {0, 1});
        }
        assertThat(network.requests).containsExactly(request);
        assertThat(network.rows).extracting(String::valueOf).containsExactly(rows.split(" "));
    }

    private static List<Moment> told(ScalarInputs scalars, SamplingSpec spec) {
        Asked network = new Asked(SPEC.with(scalars));
        ModelCard card = ModelCard.of(
                network.spec(), ProcessSpec.flow(), spec, List.of("a", "b", "c"), "shapes", 0, 1, "", Map.of());
        try (Scope scope = Scope.open()) {
            Sampling.sampler(network, card, spec, Precision.FP32)
                    .sample(new Prompts.Labels(new int[] {2, 0}), 7, new long[] {0, 1});
        }
        assertThat(network.rows).containsOnly(2L);
        assertThat(network.requests).containsExactly(spec.steps() + " steps: 2 0");
        return network.moments;
    }

    @Test
    void a_network_that_is_told_the_guidance_is_asked_once_a_step_and_told_it_where_it_acts() {
        SamplingSpec spec = SamplingSpec.of("flow-euler", 4, 3).withGuidance(3, 0.4, 0.8, 0);
        List<Moment> moments = told(new ScalarInputs(true, 0), spec);
        assertThat(moments).extracting(Moment::time).containsExactly(1000., 750., 500., 250.);
        assertThat(moments)
                .extracting(moment -> moment.numbers().get(Part.GUIDANCE))
                .containsExactly(1., 3., 3., 1.);
        SamplingSpec first = spec.withGuidance(3, 0, 1, 1);
        assertThatThrownBy(() -> told(new ScalarInputs(true, 0), first))
                .hasMessageContaining("computes guidance by itself");
    }

    @Test
    void a_flow_map_is_told_where_each_step_ends_and_without_that_the_time_itself() {
        SamplingSpec map = SamplingSpec.of("flow-map", 2, 1);
        assertThat(told(new ScalarInputs(false, 1000), map))
                .containsExactly(
                        new Moment(1000, Map.of(Part.END_TIME, 500.)), new Moment(500, Map.of(Part.END_TIME, 0.)));
        assertThat(told(new ScalarInputs(false, 1000), SamplingSpec.of("flow-euler", 2, 1)))
                .containsExactly(
                        new Moment(1000, Map.of(Part.END_TIME, 1000.)), new Moment(500, Map.of(Part.END_TIME, 500.)));
        assertThatThrownBy(() -> told(ScalarInputs.NONE, map)).hasMessageContaining("is not told; use flow-euler");
    }
}
