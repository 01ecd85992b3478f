package dev.retort.diffusion.step;

import dev.retort.diffusion.NoiseSchedule;
import dev.retort.diffusion.Prediction;
import dev.retort.diffusion.TimeGrid;

/**
 * How a network trained on one schedule is asked at a point of another, without training: at the point of its own schedule with the same sigma / alpha, on the state scaled to it.
 * Its answer, read there, gives the output that is wanted here: fromState * state + fromOutput * answer. The way from a flow to the arc of TrigFlow and back is a case of it (Chen et
 * al. 2025, SANA-Sprint), as is that of EDM (Lu and Song 2024).
 *
 * @param point where the network is asked; its time is what it is told
 * @param inputScale the network's input is so many times the state
 * @param fromState the factor before the state, as it is here
 * @param fromOutput the factor before the network's answer
 */
public record ChangeOfProcess(TimeGrid.Point point, double inputScale, double fromState, double fromOutput) {

    /**
     * From a network to what is asked of it.
     *
     * @param schedule the network's
     * @param prediction what its output means
     * @param asked the point of the other schedule
     * @param wanted what is to be read there
     */
    public static ChangeOfProcess of(
            NoiseSchedule schedule, Prediction prediction, TimeGrid.Point asked, Prediction wanted) {
        TimeGrid.Point point = schedule.pointOfRatio(asked.noiseRatio());
        double scale = (point.alpha() + point.sigma()) / (asked.alpha() + asked.sigma());
        double x0 = wanted.targetFromX0(asked.alpha(), asked.sigma());
        double eps = wanted.targetFromEps(asked.alpha(), asked.sigma());
        double state = 0;
        double output = 0;
        // What does not enter is not asked for: it may not be known there.
        if (x0 != 0) {
            state += x0 * prediction.x0FromState(point.alpha(), point.sigma());
            output += x0 * prediction.x0FromOutput(point.alpha(), point.sigma());
        }
        if (eps != 0) {
            state += eps * prediction.epsFromState(point.alpha(), point.sigma());
            output += eps * prediction.epsFromOutput(point.alpha(), point.sigma());
        }
        return new ChangeOfProcess(point, scale, state * scale, output);
    }
}
