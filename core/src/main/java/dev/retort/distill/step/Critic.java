package dev.retort.distill.step;

import dev.retort.card.ConditionSpec;
import dev.retort.card.ImageShape;
import dev.retort.card.Part;
import dev.retort.card.TapPoint;
import dev.retort.model.Answer;
import dev.retort.model.Predictor;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.model.Respondent;
import dev.retort.nn.Embedding;
import dev.retort.nn.Init;
import dev.retort.nn.Layer;
import dev.retort.nn.Linear;
import dev.retort.nn.Taps;
import dev.retort.torch.Autocast;
import dev.retort.torch.Dtype;
import dev.retort.torch.NoGrad;
import dev.retort.torch.Ops;
import dev.retort.torch.Precision;
import dev.retort.torch.Scope;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * Tells real images from made ones by what a denoiser sees in them (Sauer et al. 2024, LADD): a head for each of a few
 * intermediates, at each token norm, linear, GELU, then a linear form plus the projection on an embedding of the class
 * (Miyato and Koyama 2018). Answers logits (N, heads·T), above 0 for real.
 *
 * <p>A critic of pairs (Lin et al. 2024) is asked about 2N images: N, then what each came from under the same condition. A head looks at a token of the
 * one beside that of the other.
 */
public final class Critic implements Respondent {
    private static final double EPS = 1e-6;
    private static final String BACKBONE = "backbone";

    private final Predictor backbone;
    private final boolean trained;
    private final List<TapPoint> points;
    private final boolean pairs;
    private final Heads heads;

    /** The heads under the names of their intermediates, and the denoiser where it is trained with them. */
    private static final class Heads extends Layer {
        private final List<Linear> hidden = new ArrayList<>();
        private final List<Linear> score = new ArrayList<>();
        private final List<Embedding> classes = new ArrayList<>();

        Heads(Init init, List<TapPoint> points, int seen, int width, int rowsOfClasses, Optional<Layer> backbone) {
            backbone.ifPresent(trained -> child(BACKBONE, trained));
            for (TapPoint point : points) {
                Init own = init.at(point.name());
                hidden.add(child(
                        point.name() + ".hidden",
                        Linear.xavier(own.at("hidden"), (long) seen * point.channels(), width)));
                score.add(child(point.name() + ".score", Linear.xavier(own.at("score"), width, 1)));
                classes.add(child(point.name() + ".classes", new Embedding(own.at("classes"), rowsOfClasses, width)));
            }
        }

        /** @param tokens normed, (N, T, D), of pairs (N, T, 2D); the logits are (N, T) */
        Tensor logits(int head, Tensor tokens, Tensor label) {
            Tensor seen = Ops.gelu(hidden.get(head).forward(tokens)); // (N, T, width)
            Tensor ofClass = Ops.unsqueeze(classes.get(head).forward(label), 1); // (N, 1, width)
            return Ops.add(
                    Ops.flatten(score.get(head).forward(seen), 1, -1), Ops.sum(Ops.mul(seen, ofClass), 2, false));
        }
    }

    /**
     * @param backbone the denoiser
     * @param trained whether it is trained with the heads, and closed with this; else it is frozen
     * @param points which of its intermediates are looked at
     * @param width hidden values of a head
     * @param pairs whether it is a critic of pairs
     */
    public Critic(Init init, Predictor backbone, boolean trained, List<TapPoint> points, int width, boolean pairs) {
        this.backbone = backbone;
        this.trained = trained;
        this.points = List.copyOf(points);
        this.pairs = pairs;
        ConditionSpec told = backbone.network().spec().condition();
        try (Scope scope = Scope.open()) {
            heads = new Heads(
                    init,
                    points,
                    pairs ? 2 : 1,
                    width,
                    told.classes() + (told.hasNone() ? 1 : 0),
                    trained ? Optional.of(backbone.network()) : Optional.empty());
        }
    }

    @Override
    public Layer network() {
        return heads;
    }

    @Override
    public ImageShape images() {
        return backbone.images();
    }

    /** A denoiser that is not trained with the heads is frozen also where they learn. */
    @Override
    public int frozenCalls(Question question, boolean learns) {
        return learns && trained ? 0 : 1;
    }

    /** What of the denoiser follows the last intermediate that a head looks at leads nowhere. */
    @Override
    public boolean uses(String weight) {
        return !weight.startsWith(BACKBONE);
    }

    @Override
    public void recompute(boolean on) {
        if (trained) {
            backbone.recompute(on);
        }
    }

    @Override
    public Answer ask(Question question, Set<String> taps) {
        Set<String> names = new LinkedHashSet<>();
        points.forEach(point -> names.add(point.name()));
        // A gradient leads through a frozen denoiser to the images or not at all.
        Gradient through = question.gradient() == Gradient.PARAMETERS && !trained ? Gradient.NONE : question.gradient();
        Answer seen = backbone.ask(new Question(question.x(), question.times(), question.condition(), through), names);
        try (NoGrad off = question.gradient() == Gradient.NONE ? NoGrad.on() : null;
                Autocast plain =
                        Autocast.apart(Precision.FP32, backbone.network().device())) {
            Tensor label = first(question.condition().get(Part.LABEL));
            Tensor[] logits = new Tensor[points.size()];
            for (int i = 0; i < logits.length; i++) {
                Tensor tokens = Taps.tokens(seen.tap(points.get(i).name()), points.get(i));
                logits[i] = heads.logits(i, beside(Ops.layerNorm(Dtype.F32.cast(tokens), EPS)), label);
            }
            return Answer.of(Ops.cat(1, logits), Map.of());
        }
    }

    /** (2N, …) of pairs → (N, …): those of the first images. */
    private Tensor first(Tensor all) {
        return pairs ? Ops.chunk(all, 2, 0)[0] : all;
    }

    /** (2N, T, D) of pairs → (N, T, 2D). */
    private Tensor beside(Tensor tokens) {
        return pairs ? Ops.cat(-1, Ops.chunk(tokens, 2, 0)) : tokens;
    }
}
