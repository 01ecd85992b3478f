package dev.retort.runtime;

import dev.retort.runtime.StudentException.Kind;

/** Whether this CPU computes a file's 8-bit products exactly: without VNNI, x86 adds two of them in 16 bits, which saturate. */
final class EightBitCheck {
    private EightBitCheck() {}

    /** Refuses a file for CPUs that this one is not, or is not known to be; where the options allow it, warns. */
    static void of(LoadedModel model, Cpu cpu, StudentOptions options, Meter meter) {
        if (!model.file().eightBitDots() || cpu.exactEightBits()) {
            return;
        }
        String what = model.path() + " has 8-bit weights for CPUs with VNNI, which this one "
                + (cpu.known() ? "lacks" : "(" + cpu.arch() + ") is not known to have, as only Linux says it");
        if (!options.anyCpu()) {
            throw new StudentException(
                    Kind.UNSUPPORTED_CPU,
                    what + "; take the file that was exported for any CPU, or allow it by anyCpu");
        }
        meter.warning(what + ": sums may saturate, and pictures lose contrast");
    }
}
