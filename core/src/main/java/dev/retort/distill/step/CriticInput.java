package dev.retort.distill.step;

import dev.retort.model.Condition;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import org.bytedeco.pytorch.Tensor;

/** What a critic is to tell apart: something that a student makes, and the real thing. */
public sealed interface CriticInput permits GeneratedImages, StepEnds {
    /**
     * What it is shown.
     *
     * @param x images or states (N, C, H, W), of pairs (2N, …): first the ones, then what each came from
     * @param times at which they are
     * @param condition what is told of them beside times
     */
    record Example(Tensor x, double[] times, Condition condition) {
        static Example of(NoisyBatch noisy) {
            return new Example(noisy.noisy(), noisy.times(), noisy.condition());
        }

        Question asked(Gradient gradient) {
            return new Question(x, times, condition, gradient);
        }
    }

    /** Name of the student's loss in logs. */
    String name();

    /**
     * What the student makes.
     *
     * @param gradient whether one leads to its weights
     */
    Example generated(Pass pass, Gradient gradient);

    /** What it should look like, seen in the same way. */
    Example real(Pass pass);
}
