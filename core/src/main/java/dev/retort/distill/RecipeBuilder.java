package dev.retort.distill;

import dev.retort.card.NetworkSpec;
import dev.retort.data.ImageSource;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Pipeline;
import dev.retort.torch.Device;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.train.DiffusionTask;
import dev.retort.train.Loss;
import dev.retort.train.Player;
import dev.retort.train.Stage;
import dev.retort.train.Task;
import dev.retort.train.Weighted;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes of a recipe what the trainer trains.
 *
 * @param recipe the recipe
 * @param student what the student is
 * @param source the images, paired
 * @param teacher the teacher, loaded
 * @param precision arithmetic of all networks
 */
record RecipeBuilder(
        Recipe recipe,
        NetworkSpec student,
        ImageSource source,
        Pipeline<Network> teacher,
        Device device,
        Precision precision) {
    private static final String STUDENT = "student";
    private static final String TEACHER = "teacher";

    /** The student's network with its first weights. */
    Network network() {
        try (Scope scope = Scope.open()) {
            Network network = Architectures.build(student, Init.of(recipe.run().seed(), device));
            if (recipe.init().equals("cut")) {
                Architectures.surgery(teacher.network().spec(), student).cut(teacher.network(), network);
            }
            return network;
        }
    }

    /** Who takes part. */
    List<Player> players(Network network) {
        Predictor asked = Predictor.of(
                teacher.network(),
                Architectures.conditioner(teacher.network().spec()),
                teacher.card().process(),
                recipe.teacher().guidance(),
                precision);
        return List.of(new Player(STUDENT, learning(network), recipe.run().learns()), Player.frozen(TEACHER, asked));
    }

    private Predictor learning(Network network) {
        return Predictor.of(
                network, Architectures.conditioner(student), recipe.objective().process(), precision);
    }

    /** Losses are made once and shared by the stages that name them alike, so that a connector lives through the run. */
    List<Stage> stages() {
        LossConfig.Between players = new LossConfig.Between(
                STUDENT,
                student,
                TEACHER,
                teacher.network().spec(),
                recipe.objective(),
                Init.of(recipe.run().seed(), device));
        Map<LossConfig, Loss> made = new HashMap<>();
        List<Stage> stages = new ArrayList<>();
        for (StageConfig stage : recipe.stages()) {
            List<Weighted> losses = new ArrayList<>();
            for (LossConfig loss : stage.losses()) {
                Loss shared = made.computeIfAbsent(loss.unweighted(), kind -> kind.build(players));
                losses.add(new Weighted(shared, loss.from(), loss.to()));
            }
            stages.add(new Stage(stage.name(), stage.images(), STUDENT, losses));
        }
        return stages;
    }

    /** What is trained, and what becomes of it. */
    Task task(Network network, String teacherHash, Map<String, String> provenance) {
        return new DiffusionTask(
                source,
                recipe.objective(),
                STUDENT,
                learning(network),
                recipe.student().dropout(),
                recipe.run(),
                teacherHash,
                provenance);
    }
}
