package dev.retort.distill.step;

import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeGrid;
import dev.retort.model.Condition;
import dev.retort.model.Question;
import dev.retort.model.Question.Gradient;
import dev.retort.torch.Device;
import dev.retort.torch.Ops;
import dev.retort.torch.Tensors;
import dev.retort.train.NoisyBatch;
import dev.retort.train.Pass;
import java.util.Arrays;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;

/**
 * Where one step of a student lands beside where several of its teacher do, from the same state (Lin et al. 2024, SDXL-Lightning, section 3.3).
 * Where that is a clean image, both are shown with the same noise at a time drawn for them.
 *
 * @param student name of the player that steps
 * @param teacher where its teacher's steps lead
 * @param renoised noise of clean images
 * @param pairs whether the state that the step began with is shown as well: the critic then asks for the same way, not only for as likely an end
 */
public record StepEnds(String student, TeacherSteps teacher, Renoised renoised, boolean pairs) implements CriticInput {
    @Override
    public String name() {
        return "adversarial-step";
    }

    @Override
    public Example generated(Pass pass, Gradient gradient) {
        TeacherSteps.Target taken = teacher.take(pass);
        NoisyBatch from = taken.noisy();
        Tensor x0 = pass.ask(student, new Question(from.noisy(), from.times(), from.condition(), gradient))
                .as(Prediction.X0);
        TimeGrid grid = teacher.grid();
        return shown(
                pass,
                taken,
                Walk.step(
                        from.noisy(),
                        x0,
                        IntStream.of(taken.steps()).mapToObj(grid::from).toList(),
                        IntStream.of(taken.steps()).mapToObj(grid::to).toList()));
    }

    @Override
    public Example real(Pass pass) {
        TeacherSteps.Target taken = teacher.take(pass);
        return shown(pass, taken, taken.landed());
    }

    private Example shown(Pass pass, TeacherSteps.Target taken, Tensor landed) {
        NoisyBatch from = taken.noisy();
        NoisyBatch again = renoised.of(landed, from.condition(), pass, name());
        double[] clean = new double[taken.steps().length]; // 1 where it is
        double[] times = again.times().clone();
        for (int i = 0; i < clean.length; i++) {
            TimeGrid.Point end = teacher.grid().to(taken.steps()[i]);
            clean[i] = end.sigma() == 0 ? 1 : 0;
            times[i] = end.sigma() == 0 ? times[i] : end.time();
        }
        Tensor x = landed.add(again.noisy().sub(landed).mul(Tensors.column(clean, landed)));
        return pairs ? beside(x, times, from) : new Example(x, times, from.condition());
    }

    private static Example beside(Tensor x, double[] times, NoisyBatch from) {
        long[] twice = IntStream.range(0, 2 * times.length)
                .mapToLong(i -> i % times.length)
                .toArray();
        Condition condition = from.condition().select(Tensors.of(twice, Device.of(x)));
        double[] both = DoubleStream.concat(Arrays.stream(times), Arrays.stream(from.times()))
                .toArray();
        return new Example(Ops.cat(0, x, from.noisy()), both, condition);
    }
}
