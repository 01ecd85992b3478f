package dev.retort.layout;

import dev.retort.card.GridSpec;
import dev.retort.card.LatentScale;
import dev.retort.card.ProcessSpec;
import dev.retort.card.SamplingSpec;
import dev.retort.card.ScheduleSpec;
import dev.retort.card.TableGrid;
import dev.retort.card.UNetSpec;
import dev.retort.diffusion.Prediction;

/**
 * The models that are published as one file in the original (LDM) layout, by the generation of their U-Net: what is usual for it where
 * the file says nothing else.
 */
public enum StableDiffusion {
    /** One encoder, 512 pixels, predicts noise; eight heads at every size, projections by convolution. */
    SD_1("Stable Diffusion 1.x", 64, Prediction.EPSILON, 7.5, 0.18215),
    /** One encoder of OpenCLIP, linear projections; 2.1 at 768 pixels predicts v, the bases at 512 pixels predict noise. */
    SD_2("Stable Diffusion 2.x", 96, Prediction.V, 9, 0.18215),
    /** Two encoders, the second one's pooled state and six sizes, 1024 pixels, predicts noise. */
    SDXL("Stable Diffusion XL", 128, Prediction.EPSILON, 5, 0.13025),
    /** The second encoder of XL alone, four sizes and a score. */
    SDXL_REFINER("Stable Diffusion XL's refiner", 128, Prediction.EPSILON, 5, 0.13025);

    private static final int STEPS = 50;

    private final String title;
    private final int side;
    private final Prediction prediction;
    private final double guidance;
    private final double scale;

    StableDiffusion(String title, int side, Prediction prediction, double guidance, double scale) {
        this.title = title;
        this.side = side;
        this.prediction = prediction;
        this.guidance = guidance;
        this.scale = scale;
    }

    /** The one that a network is shaped like, however many blocks it has. */
    public static StableDiffusion of(UNetSpec spec) {
        return of(spec.told(), spec.convention().linearProjections());
    }

    static StableDiffusion of(UNetSpec.Told told, boolean linearProjections) {
        return told.pooled()
                .map(pooled -> pooled.ids() < UNetSpec.Pooled.SIZES ? SDXL_REFINER : SDXL)
                .orElse(linearProjections ? SD_2 : SD_1);
    }

    /** What people call it. */
    public String title() {
        return title;
    }

    /** Height and width of its latents. */
    public int side() {
        return side;
    }

    /** What its network returns. */
    public Prediction prediction() {
        return prediction;
    }

    /** How its autoencoder's latents become what its network sees. */
    public LatentScale latentScale() {
        return LatentScale.of(scale);
    }

    /**
     * How its data were noised: Stable Diffusion's table of 1000 levels.
     *
     * @param returns what the network returns
     * @param zeroTerminalSnr whether the table is rescaled so that its last entry is pure noise
     */
    public static ProcessSpec process(Prediction returns, boolean zeroTerminalSnr) {
        ScheduleSpec.ScaledLinear usual = new ScheduleSpec.ScaledLinear();
        return new ProcessSpec(
                new ScheduleSpec.ScaledLinear(usual.steps(), usual.betaStart(), usual.betaEnd(), zeroTerminalSnr),
                returns,
                0);
    }

    /**
     * DDIM in 50 steps, as its program's script draws by default: at every twentieth time from 1 on, where the first table entry is
     * the end; from a rescaled table at the trailing ones, which alone begin at pure noise.
     *
     * @param process that of {@link #process}
     */
    public SamplingSpec sampling(ProcessSpec process) {
        return SamplingSpec.of("ddim", STEPS, guidance)
                .with(
                        STEPS,
                        process.zeroTerminalSnr()
                                ? new TableGrid.Trailing()
                                : new TableGrid.Leading(1, false, GridSpec.End.LOWEST));
    }
}
