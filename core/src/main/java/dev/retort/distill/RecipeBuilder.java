package dev.retort.distill;

import dev.retort.card.NetworkSpec;
import dev.retort.card.TrainedFor;
import dev.retort.config.CardFile;
import dev.retort.config.Require;
import dev.retort.data.ImageSource;
import dev.retort.error.FirstFew;
import dev.retort.model.Network;
import dev.retort.model.Predictor;
import dev.retort.nn.Init;
import dev.retort.pipeline.Architectures;
import dev.retort.pipeline.Models;
import dev.retort.pipeline.Pipeline;
import dev.retort.quantize.FakeQuantization;
import dev.retort.torch.Device;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import dev.retort.train.Cadence;
import dev.retort.train.DiffusionTask;
import dev.retort.train.Loss;
import dev.retort.train.Phase;
import dev.retort.train.Player;
import dev.retort.train.Stage;
import dev.retort.train.Start;
import dev.retort.train.Task;
import dev.retort.train.Weighted;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import tools.jackson.databind.node.ObjectNode;

/** Makes of a recipe what the trainer trains. The networks of all players but the teacher live as long as this. */
final class RecipeBuilder implements AutoCloseable {
    private static final String STUDENT = "student";
    private static final String TEACHER = "teacher";

    private final Recipe recipe;
    private final NetworkSpec student;
    private final ImageSource source;
    private final Pipeline<Network> teacher;
    private final String teacherSha256;
    private final Device device;
    private final Precision precision;
    private final List<Network> networks = new ArrayList<>();
    private final Network network;
    private final List<Player> players = new ArrayList<>();
    private final List<Stage> stages = new ArrayList<>();
    private Optional<FakeQuantization> quantized = Optional.empty(); // one for all stages from the first that is

    /** Losses that differ in their weight alone are one, so that a connector lives through the run. */
    private record Kind(ObjectNode apartFromWeight, String teacher, Optional<Kind> beside) {}

    /** @param names of the players that it brought along, by what they are called where nobody has that name */
    private record Made(Loss loss, LossConfig.ExtraPlayers extra, UnaryOperator<String> names) {}

    /**
     * @param student what the student is
     * @param source the images, paired
     * @param teacher the teacher, loaded; not closed with this
     * @param teacherSha256 of its weights
     * @param precision arithmetic of all networks
     */
    RecipeBuilder(
            Recipe recipe,
            NetworkSpec student,
            ImageSource source,
            Pipeline<Network> teacher,
            String teacherSha256,
            Device device,
            Precision precision) {
        this.recipe = recipe;
        this.student = student;
        this.source = source;
        this.teacher = teacher;
        this.teacherSha256 = teacherSha256;
        this.device = device;
        this.precision = precision;
        try {
            network = firstStudent();
            players.add(new Player(STUDENT, learning(network), recipe.run().learns()));
            players.add(Player.frozen(TEACHER, teaching()));
            formerTeachers().forEach(name -> players.add(Player.frozen(name, learning(copy(network)))));
            buildStages();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** The student's network. */
    Network network() {
        return network;
    }

    /** Who takes part: the student, its teacher, itself as it was at the end of stages that teach later ones, and who the losses bring along. */
    List<Player> players() {
        return players;
    }

    List<Stage> stages() {
        return stages;
    }

    private Network firstStudent() {
        try (Scope scope = Scope.open()) {
            Network first = Architectures.build(student, init());
            networks.add(first);
            if (recipe.init() instanceof StudentStart.Cut) {
                cut(teacher.network(), first);
            } else if (recipe.init() instanceof StudentStart.From other) {
                try (Pipeline<Network> from = Models.load(other.folder(), device)) {
                    from.card().requireFloats("init " + other.folder(), "be trained");
                    cut(from.network(), first);
                }
            }
            return first;
        }
    }

    private void cut(Network from, Network first) {
        Architectures.surgery(from.spec(), student).cut(from, first);
    }

    private Network copy(Network of) {
        try (Scope scope = Scope.open();
                NoGrad off = NoGrad.on()) {
            Network copy = Architectures.build(of.spec(), Init.blank(device));
            networks.add(copy);
            copy.load(of.state());
            return copy;
        }
    }

    private Init init() {
        return Init.of(recipe.run().seed(), device);
    }

    private Set<String> formerTeachers() {
        Set<String> names = new LinkedHashSet<>();
        recipe.stages().forEach(stage -> names.add(stage.teacher()));
        names.remove("");
        return names;
    }

    private Predictor teaching() {
        return Predictor.of(
                teacher.network(),
                Architectures.conditioner(teacher.card()),
                teacher.card().process(),
                recipe.teacher().guidance(),
                precision);
    }

    private Predictor learning(Network network) {
        return Predictor.of(
                network,
                Architectures.conditioner(
                        student, teacher.card().text(), teacher.card().images(student)),
                recipe.objective().process(),
                precision);
    }

    private void buildStages() {
        Map<Kind, Made> losses = new HashMap<>();
        Map<String, Integer> last = new HashMap<>(); // stage in which somebody takes part, by player
        String ended = "";
        for (StageConfig stage : recipe.stages()) {
            List<Weighted> weighted = new ArrayList<>();
            List<Phase> phases = new ArrayList<>();
            Cadence cadence = Cadence.EVERY_STEP;
            for (LossConfig loss : stage.losses()) {
                Made made = made(loss, stage, losses);
                weighted.add(new Weighted(made.loss, loss.weight().ramp()));
                phases.addAll(made.extra.phases());
                made.extra.players().forEach(player -> last.put(player.name(), stages.size()));
                cadence = rarer(cadence, loss.cadence());
            }
            requireTrains(stage);
            if (quantized.isEmpty()) {
                quantized = stage.quantize().map(config -> quantization(config, stage));
            }
            phases.add(new Phase(STUDENT, weighted, cadence, stage.trains()));
            stages.add(new Stage(
                    stage.name(),
                    stage.images(),
                    phases,
                    starts(stage, ended),
                    stage.optimizer().map(own -> Map.of(STUDENT, own)).orElse(Map.of()),
                    stage.lora()
                            .map(lora -> Map.of(
                                    STUDENT, lora.adapters(network, field(stage) + ".lora", init().at(stage.name()))))
                            .orElse(Map.of()),
                    quantized.map(how -> Map.of(STUDENT, how)).orElse(Map.of()),
                    Set.of()));
            last.put(stage.teacher(), stages.size() - 1);
            ended = stage.name();
        }
        for (int i = 0; i < stages.size(); i++) {
            int now = i;
            Set<String> gone = new HashSet<>(last.keySet());
            gone.removeIf(player -> player.isEmpty() || last.get(player) >= now);
            stages.set(i, stages.get(i).without(gone));
        }
    }

    private FakeQuantization quantization(QuantizeConfig config, StageConfig stage) {
        return config.quantization(
                learning(network), field(stage) + ".quantize", recipe, trainedFor(), recipe.labels(teacher.card()));
    }

    private TrainedFor trainedFor() {
        return new StudentSampling(recipe, teacher.card()).trainedFor();
    }

    private void requireTrains(StageConfig stage) {
        Set<String> parameters = network.parameters().keySet();
        for (String part : stage.trains()) {
            Require.that(
                    parameters.stream().anyMatch(name -> name.contains(part)),
                    field(stage) + ".trains",
                    part,
                    "a part of the name of some parameter, such as " + FirstFew.of(List.copyOf(parameters), 4));
        }
    }

    private String field(StageConfig stage) {
        return "stages." + recipe.stages().indexOf(stage);
    }

    private static Kind kind(LossConfig loss, StageConfig stage) {
        ObjectNode fields = (ObjectNode) CardFile.tree(loss);
        fields.remove("weight");
        return new Kind(fields, stage.teacher(), loss.beside(stage.losses()).map(other -> kind(other, stage)));
    }

    private Made made(LossConfig loss, StageConfig stage, Map<Kind, Made> losses) {
        Kind kind = kind(loss, stage);
        if (!losses.containsKey(kind)) {
            Optional<Made> beside = loss.beside(stage.losses()).map(other -> made(other, stage, losses));
            losses.put(kind, make(loss, stage, beside.map(Made::names).orElse(UnaryOperator.identity())));
        }
        return losses.get(kind);
    }

    private Made make(LossConfig loss, StageConfig stage, UnaryOperator<String> beside) {
        boolean former = !stage.teacher().isEmpty();
        String from = former ? stage.teacher() : TEACHER;
        Map<String, String> given = new HashMap<>();
        UnaryOperator<String> names = name -> given.computeIfAbsent(name, this::unused);
        LossConfig.BuildContext context = new LossConfig.BuildContext(
                STUDENT,
                learning(network),
                from,
                asked(from),
                asked(TEACHER),
                teacherSha256,
                Optional.ofNullable(teacher.card().text()),
                recipe.objective(),
                recipe.run().sampling(),
                recipe.labels(teacher.card()),
                init(),
                names,
                beside,
                this::copy);
        LossConfig.ExtraPlayers extra = loss.extraPlayers(context);
        players.addAll(extra.players());
        return new Made(loss.build(context), extra, names);
    }

    private Predictor asked(String player) {
        return players.stream()
                .filter(one -> one.name().equals(player))
                .map(one -> (Predictor) one.respondent())
                .findFirst()
                .orElseThrow();
    }

    private String unused(String name) {
        String free = name;
        for (int number = 2; taken(free); number++) {
            free = name + "-" + number;
        }
        return free;
    }

    private boolean taken(String name) {
        return players.stream().anyMatch(player -> player.name().equals(name));
    }

    private static Cadence rarer(Cadence a, Cadence b) {
        return b.period() > a.period() ? b : a;
    }

    /** A stage that teaches leaves its student behind; one with an optimiser of its own begins anew with the average. */
    private Map<String, Start> starts(StageConfig stage, String ended) {
        Map<String, Start> starts = new LinkedHashMap<>();
        if (formerTeachers().contains(ended)) {
            starts.put(ended, Start.copyOf(STUDENT));
        }
        if (stage.optimizer().isPresent() && !ended.isEmpty()) {
            starts.put(STUDENT, Start.copyOf(STUDENT));
        }
        return starts;
    }

    /** What is trained, and what becomes of it. */
    Task task(Map<String, String> provenance) {
        return new DiffusionTask(
                source,
                recipe.objective(),
                STUDENT,
                learning(network),
                recipe.student().dropout(),
                recipe.teacher().guidanceInput(),
                recipe.run(),
                teacherSha256,
                trainedFor(),
                Optional.ofNullable(teacher.card().text()),
                provenance,
                quantized);
    }

    @Override
    public void close() {
        players.stream()
                .filter(player -> player.network() != teacher.network())
                .forEach(Player::close); // a critic's heads are in no network of ours
        networks.forEach(Network::close);
    }
}
