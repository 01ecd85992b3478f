package dev.retort.layout;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The refusals of an adapter file that does not fit a network, as sentences. */
final class LoraMisfit {
    private static final int SHOWN = 4;

    /** What Stable Diffusions are told apart by: how many values a token of the prompt has for their cross-attention. */
    private static final Map<Long, String> FAMILIES =
            Map.of(768L, "Stable Diffusion 1", 1024L, "Stable Diffusion 2", 2048L, "Stable Diffusion XL");

    private final LoraFile file;
    private final String model;

    LoraMisfit(LoraFile file, String model) {
        this.file = file;
        this.model = model;
    }

    /** Refuses an adapter of a U-Net for another text encoder than this one's. */
    void requireFamily(Collection<LoraModules.Module> modules) {
        Optional<Long> ofFile = file.pairs().stream()
                .filter(pair -> pair.module().matches(".*attn2[._]to_[kv]"))
                .map(pair -> pair.downShape()[1])
                .findFirst();
        Optional<Long> ofModel = modules.stream()
                .filter(module -> module.own().matches(".*attn2\\.to_[kv]"))
                .map(module -> module.shape()[1])
                .findFirst();
        if (ofFile.isPresent() && ofModel.isPresent() && !ofFile.equals(ofModel)) {
            throw refused("it was made for " + family(ofFile.get()) + ", and " + model + " is " + family(ofModel.get())
                    + "; give an adapter of the model's own family");
        }
    }

    private static String family(long width) {
        String known = FAMILIES.get(width);
        String tokens = "tokens of " + width + " values";
        return known == null ? "a U-Net for " + tokens : known + " (" + tokens + ")";
    }

    /** Refuses adapters without a layer. */
    RetortException lost(List<LoraPair> lost, boolean known, Optional<String> nearest) {
        LoraPair first = lost.get(0);
        String count = lost.size() + " of its " + file.pairs().size() + " modules ";
        String which = first.component() == LoraComponent.DENOISER || known
                ? model + " has no layer '" + first.module() + "'"
                : model + " has no text encoder here that '" + first.module() + "' could be in";
        return refused(
                which + nearest.map(near -> " (the nearest is '" + near + "')").orElse("")
                        + ", which '" + first.name() + "' adapts; " + count
                        + (lost.size() == 1 ? "has" : "have") + " no place, and a part of an adapter is not applied");
    }

    /** Refuses an adapter of another shape than its layer's. */
    void requireShape(LoraPair pair, LoraModules.Module module) {
        long inputs = 1;
        for (int i = 1; i < module.shape().length; i++) {
            inputs *= module.shape()[i];
        }
        if (pair.outputs() != module.shape()[0] || pair.inputs() != inputs) {
            throw refused("'" + pair.name() + "' of shape " + Arrays.toString(pair.downShape())
                    + " and its counterpart of shape " + Arrays.toString(pair.upShape()) + " do not fit '"
                    + module.path() + "' of " + model + ", a weight of shape " + Arrays.toString(module.shape()));
        }
    }

    RetortException ambiguous(LoraPair pair, List<LoraModules.Module> modules) {
        return refused("'" + pair.name() + "' may be "
                + FirstFew.of(modules.stream().map(LoraModules.Module::path).toList(), SHOWN) + " of " + model
                + ", since low lines stand for dots there; write it in a layout with dots");
    }

    RetortException twice(LoraPair first, LoraPair second, LoraModules.Module module) {
        return refused("'" + first.name() + "' and '" + second.name() + "' are both for '" + module.path() + "'");
    }

    RetortException shared(LoraPair pair, LoraModules.Module module, int copies) {
        return refused("'" + pair.name() + "' adapts a layer that " + model + " has once, as '" + module.own()
                + "', and its program " + copies + " times: that can be applied only where all " + copies
                + " are adapted alike");
    }

    private RetortException refused(String why) {
        return new RetortException(Kind.CHECKPOINT, file.path() + " cannot be applied: " + why);
    }
}
