package dev.retort.torch;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * Where tensors live.
 *
 * @param type {@code cpu} or {@code cuda}
 * @param index which GPU; 0 for the CPU
 */
public record Device(String type, int index) {
    /** The CPU. */
    public static final Device CPU = new Device("cpu", 0);

    private static final String FIELD = "device";

    /** A choice and why it was made, for the log. */
    public record Choice(Device device, String reason) {}

    /** Parses {@code cpu}, {@code cuda}, {@code cuda:n} or {@code auto}; a device that is not here is ENVIRONMENT. */
    public static Choice choose(String name) {
        if (name.equals("auto")) {
            return Cuda.count() > 0
                    ? new Choice(new Device("cuda", 0), "a GPU was found")
                    : new Choice(CPU, "no GPU was found");
        }
        if (name.equals("cpu")) {
            return new Choice(CPU, "asked for");
        }
        if (name.matches("cuda(:\\d{1,3})?")) {
            int gpus = Cuda.count();
            if (gpus == 0) {
                throw new RetortException(
                                Kind.ENVIRONMENT,
                                "device " + name
                                        + " was asked for but no GPU can be used here; run 'retort doctor', or choose"
                                        + " cpu or auto")
                        .about(FIELD);
            }
            int index = name.equals("cuda") ? 0 : Integer.parseInt(name.substring(5));
            if (index >= gpus) {
                throw new RetortException(
                                Kind.ENVIRONMENT,
                                "device " + name + " was asked for but there "
                                        + (gpus == 1 ? "is 1 GPU" : "are " + gpus + " GPUs")
                                        + " here, counted from 0; choose cuda:0"
                                        + (gpus == 1 ? "" : " to cuda:" + (gpus - 1)))
                        .about(FIELD);
            }
            return new Choice(new Device("cuda", index), "asked for");
        }
        throw new RetortException(Kind.USAGE, "device " + name + " is unknown; choose cpu, cuda, cuda:N or auto")
                .about(FIELD);
    }

    /** Where a tensor lives. */
    public static Device of(Tensor tensor) {
        return tensor.is_cuda() ? new Device("cuda", tensor.device().index()) : CPU;
    }

    /** Whether this is a GPU. */
    public boolean isCuda() {
        return type.equals("cuda");
    }

    /** The tensor on this device, itself where it is there already. */
    public Tensor move(Tensor tensor) {
        return isCuda() ? tensor.to(handle(), tensor.scalar_type()) : tensor;
    }

    /** Highest memory that this process has had: all of it on the CPU, that of tensors on a GPU; in bytes. */
    public long peakBytes() {
        return isCuda() ? Cuda.peakBytes(index) : Machine.peakResidentBytes();
    }

    /** Waits until a GPU has done what it was asked to; the CPU always has. */
    public void finish() {
        if (isCuda()) {
            torch.cuda_synchronize(index);
        }
    }

    TensorOptions options(Dtype dtype) {
        Natives.load();
        TensorOptions options = new TensorOptions().dtype(new ScalarTypeOptional(dtype.scalarType()));
        return isCuda() ? options.device(new DeviceOptional(handle())) : options;
    }

    torch.DeviceType deviceType() {
        return isCuda() ? torch.DeviceType.CUDA : torch.DeviceType.CPU;
    }

    private org.bytedeco.pytorch.Device handle() {
        return new org.bytedeco.pytorch.Device(toString());
    }

    @Override
    public String toString() {
        return isCuda() ? "cuda:" + index : "cpu";
    }
}
