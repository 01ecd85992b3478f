package dev.retort.runtime;

import dev.retort.runtime.StudentException.Kind;

/** Whether this CPU computes a file's 8-bit products exactly: without VNNI, x86 adds two of them in 16 bits, which saturate. */
final class EightBitCheck {
    private EightBitCheck() {}

    /** Refuses a file for other CPUs, unless the options allow it; warns where the CPU is not known. */
    static void of(LoadedModel model, Cpu cpu, StudentOptions options, Meter meter) {
        if (!model.file().eightBitDots() || cpu.exactEightBits()) {
            return;
        }
        String what = model.path() + " has 8-bit weights for CPUs with VNNI";
        if (!cpu.known() || options.anyCpu()) {
            meter.warning(what + (cpu.known() ? ", which this one lacks" : "; whether this one has it is not known")
                    + ": sums may saturate, and pictures lose contrast");
            return;
        }
        throw new StudentException(
                Kind.UNSUPPORTED_CPU,
                what + ", which this one lacks; take the file that was exported for any CPU, or allow it by anyCpu");
    }
}
