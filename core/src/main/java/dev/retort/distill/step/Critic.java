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
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/**
 * Tells real images from made ones by what a frozen denoiser sees in them (Sauer et al. 2024, LADD): a head for each of a few
 * intermediates, norm, linear, GELU, mean over the tokens, then a linear form plus the projection on an embedding of the class
 * (Miyato and Koyama 2018). Answers logits (N, heads), above 0 for real.
 */
public final class Critic implements Respondent {
    private static final double EPS = 1e-6;

    private final Predictor eyes;
    private final List<TapPoint> points;
    private final Heads heads;

    /** The heads under the names of their intermediates. */
    private static final class Heads extends Layer {
        private final List<Linear> hidden = new ArrayList<>();
        private final List<Linear> score = new ArrayList<>();
        private final List<Embedding> classes = new ArrayList<>();

        Heads(Init init, List<TapPoint> points, int width, int rowsOfClasses) {
            for (TapPoint point : points) {
                Init own = init.at(point.name());
                hidden.add(child(point.name() + ".hidden", Linear.xavier(own.at("hidden"), point.channels(), width)));
                score.add(child(point.name() + ".score", Linear.xavier(own.at("score"), width, 1)));
                classes.add(child(point.name() + ".classes", new Embedding(own.at("classes"), rowsOfClasses, width)));
            }
        }

        /** @param tokens (N, T, D) */
        Tensor logit(int head, Tensor tokens, Tensor label) {
            Tensor seen = hidden.get(head).forward(Ops.layerNorm(Dtype.F32.cast(tokens), EPS));
            Tensor pooled = Ops.mean(Ops.gelu(seen), 1, false); // (N, width)
            Tensor projection = Ops.sum(Ops.mul(pooled, classes.get(head).forward(label)), 1, true);
            return Ops.add(score.get(head).forward(pooled), projection);
        }
    }

    /**
     * @param eyes the frozen denoiser; not closed with this
     * @param points which of its intermediates are looked at
     * @param width hidden values of a head
     */
    public Critic(Init init, Predictor eyes, List<TapPoint> points, int width) {
        this.eyes = eyes;
        this.points = List.copyOf(points);
        ConditionSpec told = eyes.network().spec().condition();
        try (Scope scope = Scope.open()) {
            heads = new Heads(init, points, width, told.classes() + (told.hasNone() ? 1 : 0));
        }
    }

    @Override
    public Layer network() {
        return heads;
    }

    @Override
    public ImageShape images() {
        return eyes.images();
    }

    /** The denoiser is frozen also where the heads learn. */
    @Override
    public int frozenCalls(boolean learns) {
        return 1;
    }

    @Override
    public void recompute(boolean on) {
        // the heads are too small for it to save anything
    }

    @Override
    public Answer ask(Question question, Set<String> taps) {
        Set<String> names = new LinkedHashSet<>();
        points.forEach(point -> names.add(point.name()));
        // The denoiser is frozen: a gradient leads through it to the images or not at all.
        Gradient through = question.gradient() == Gradient.THROUGH ? Gradient.THROUGH : Gradient.NONE;
        Answer seen = eyes.ask(new Question(question.x(), question.times(), question.condition(), through), names);
        try (NoGrad off = question.gradient() == Gradient.NONE ? NoGrad.on() : null;
                Autocast plain = Autocast.apart(Precision.FP32, eyes.network().device())) {
            Tensor label = question.condition().get(Part.LABEL);
            Tensor[] logits = new Tensor[points.size()];
            for (int i = 0; i < logits.length; i++) {
                logits[i] = heads.logit(i, Taps.tokens(seen.tap(points.get(i).name()), points.get(i)), label);
            }
            return Answer.of(Ops.cat(1, logits), Map.of());
        }
    }
}
