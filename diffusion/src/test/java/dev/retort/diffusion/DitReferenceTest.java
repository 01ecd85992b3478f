package dev.retort.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** The tables, respacing lists and sampling loops of the reference case "dit-training", as far as they need no network. */
class DitReferenceTest {
    private static final DiscreteSchedule LINEAR = DiscreteSchedule.linear();

    private static ReferenceTensors tensors(String file) {
        return new ReferenceTensors(Shared.path("reference/dit-training/" + file));
    }

    private static JsonNode about() {
        return ReferenceTensors.json(Shared.path("reference/dit-training/case.json"));
    }

    @Test
    void the_tables_of_the_full_schedules_agree_to_1e_13() {
        ReferenceTensors tables = tensors("tables.safetensors");
        for (Map.Entry<String, DiscreteSchedule> entry : Map.of(
                        "linear1000", LINEAR, "cosine1000", DiscreteSchedule.cosine(1000))
                .entrySet()) {
            DiscreteSchedule table = entry.getValue();
            assertTable(tables, entry.getKey() + ".betas", table::beta);
            assertTable(tables, entry.getKey() + ".alphas_cumprod", table::alphaBar);
        }
        assertTable(tables, "linear1000.alphas_cumprod_prev", t -> LINEAR.alphaBar(t - 1));
        assertTable(tables, "linear1000.sqrt_alphas_cumprod", LINEAR::alpha);
        assertTable(tables, "linear1000.sqrt_one_minus_alphas_cumprod", LINEAR::sigma);
        assertTable(tables, "linear1000.sqrt_recip_alphas_cumprod", t -> 1 / LINEAR.alpha(t));
        assertTable(tables, "linear1000.sqrt_recipm1_alphas_cumprod", LINEAR::noiseRatio);
        assertTable(tables, "linear1000.posterior_variance", t -> posterior(t).variance());
        assertTable(tables, "linear1000.posterior_mean_coef1", t -> posterior(t).meanFromX0());
        assertTable(tables, "linear1000.posterior_mean_coef2", t -> posterior(t).meanFromState());
        assertTable(tables, "linear1000.posterior_log_variance_clipped", t -> VariationalTerm.at(LINEAR, t)
                .logBetaTilde());
    }

    private static GaussianPosterior posterior(int t) {
        return new GaussianPosterior(LINEAR.point(t), LINEAR.point(t - 1));
    }

    @Test
    void the_tables_of_respaced_chains_agree_to_1e_13() {
        ReferenceTensors tables = tensors("tables.safetensors");
        for (String spec : List.of("1", "10", "10,10,10", "50", "250", "ddim50")) {
            TimeGrid grid = TimeGrid.respaced(LINEAR, spec);
            int last = grid.steps() - 1;
            String prefix = "spaced[" + spec + "].";
            assertTable(tables, prefix + "betas", i -> step(grid, i).beta());
            assertTable(
                    tables, prefix + "posterior_mean_coef1", i -> step(grid, i).meanFromX0());
            assertTable(
                    tables, prefix + "posterior_mean_coef2", i -> step(grid, i).meanFromState());
            if (last > 0) {
                assertTable(tables, prefix + "posterior_log_variance_clipped", i -> VariationalTerm.at(grid, last - i)
                        .logBetaTilde());
            }
        }
    }

    /** The reference counts a chain from its clean end. */
    private static GaussianPosterior step(TimeGrid grid, int index) {
        int step = grid.steps() - 1 - index;
        return new GaussianPosterior(grid.from(step), grid.to(step));
    }

    private static void assertTable(ReferenceTensors tables, String name, IntToDoubleFunction ours) {
        double[] wanted = tables.get(name);
        for (int t = 0; t < wanted.length; t++) {
            assertThat(ours.applyAsDouble(t))
                    .as("%s[%d]", name, t)
                    .isCloseTo(wanted[t], within(1e-13 + 1e-10 * Math.abs(wanted[t])));
        }
    }

    @Test
    void every_respacing_list_agrees_and_bad_specs_are_refused() {
        JsonNode about = about();
        JsonNode maps = about.get("timestep_maps");
        assertThat(maps.size()).isGreaterThan(10);
        for (Map.Entry<String, JsonNode> entry : maps.properties()) {
            int[] wanted = StreamSupport.stream(entry.getValue().spliterator(), false)
                    .mapToInt(JsonNode::asInt)
                    .toArray();
            assertThat(Respacing.times(entry.getKey(), 1000)).as(entry.getKey()).containsExactly(wanted);
        }
        for (JsonNode refused : about.get("timestep_specs_refused")) {
            assertThatThrownBy(() -> Respacing.times(refused.asString(), 1000))
                    .as(refused.asString())
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(refused.asString());
        }
    }

    /** DDIM runs replayed from the predicted clean samples the reference stored: every state must follow from the one before. */
    @TestFactory
    Stream<DynamicTest> ddim_runs_follow_from_their_predicted_clean_samples() {
        JsonNode about = about();
        ReferenceTensors sampling = tensors("sampling.safetensors");
        return StreamSupport.stream(about.get("config").get("sampling").spliterator(), false)
                .filter(run -> run.get("loop").asString().equals("ddim"))
                .map(run -> DynamicTest.dynamicTest(run.get("id").asString(), () -> {
                    String id = run.get("id").asString();
                    boolean guided = !run.get("cfg").isNull();
                    double[][] x0 = sampling.rows(id + ".pred_x0");
                    double[][] noise = sampling.rows(guided ? "step_noise_cfg" : "step_noise");
                    double[] z = start(sampling, guided);
                    TimeGrid grid = TimeGrid.respaced(LINEAR, run.get("spacing").asString());
                    Plan plan = new Ddim(run.get("eta").asDouble()).plan(new Process(LINEAR, Prediction.X0), grid);
                    double[][] wanted = sampling.rows(id + ".states");
                    for (int k = 0; k < wanted.length; k++) {
                        // Each step from the reference's own state, so that its rounding does not add up.
                        double[] got = oneStep(plan, k, k == 0 ? z : wanted[k - 1], x0[k], noise[k]);
                        assertClose(got, wanted[k], 5e-6, id + " step " + k);
                    }
                }));
    }

    @Test
    void ddpm_runs_end_in_the_posterior_mean_of_their_last_predicted_clean_sample() {
        ReferenceTensors sampling = tensors("sampling.safetensors");
        for (String id : List.of("ddpm", "ddpm-clip", "ddpm-ddimspacing", "ddpm-cfg")) {
            TimeGrid grid = TimeGrid.respaced(LINEAR, id.equals("ddpm-ddimspacing") ? "ddim10" : "10");
            Plan plan = new Ddpm(Ddpm.Variance.LEARNED_RANGE).plan(new Process(LINEAR, Prediction.X0), grid);
            double[][] states = sampling.rows(id + ".states");
            double[] x0 = sampling.rows(id + ".pred_x0")[9];
            assertThat(plan.learnsVariance()).isTrue();
            assertThat(plan.steps().get(9).noise()).isEqualTo(NoiseScale.NONE);
            assertClose(oneStep(plan, 9, states[8], x0, null), states[9], 2e-6, id);
        }
    }

    private static double[] start(ReferenceTensors sampling, boolean guided) {
        double[] z = sampling.get("z");
        if (!guided) {
            return z;
        }
        double[] twice = new double[2 * z.length];
        System.arraycopy(z, 0, twice, 0, z.length);
        System.arraycopy(z, 0, twice, z.length, z.length);
        return twice;
    }

    private static double[] oneStep(Plan plan, int k, double[] x, double[] x0, double[] noise) {
        Plan single = new Plan(plan.solver(), 1, List.of(plan.steps().get(k)));
        return ArrayExecutor.run(single, x, (input, call) -> x0, step -> noise, (step, d, next) -> {});
    }

    private static void assertClose(double[] got, double[] wanted, double tolerance, String what) {
        double most = 0;
        for (double w : wanted) {
            most = Math.max(most, Math.abs(w));
        }
        for (int i = 0; i < wanted.length; i++) {
            assertThat(got[i]).as("%s element %d", what, i).isCloseTo(wanted[i], within(tolerance * Math.max(most, 1)));
        }
    }
}
