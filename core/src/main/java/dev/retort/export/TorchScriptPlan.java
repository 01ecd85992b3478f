package dev.retort.export;

import dev.retort.diffusion.Guidance;
import dev.retort.diffusion.Plan;
import dev.retort.sample.Sampler;

/**
 * What the method {@code sample(noise, label)} of an archive does: a plan's arithmetic around {@code forward}, from unit noise
 * (N, C, H, W) to samples of that shape, in the network's data units. A plan that adds noise takes a further argument,
 * {@code noises}: unit noise of the same shape for each step that adds any, in order.
 *
 * @param plan what is done, step by step
 * @param guidance classifier-free guidance; where it acts, {@code forward} is asked of twice as many samples, unless it is told
 *     the scale
 * @param noClass the label that stands for none
 */
public record TorchScriptPlan(Plan plan, Guidance guidance, long noClass) {
    /** As a sampler samples. */
    public static TorchScriptPlan of(Sampler sampler) {
        Way.requirePlain(sampler);
        return new TorchScriptPlan(
                sampler.plan(), sampler.guidance(), sampler.network().spec().classes());
    }
}
