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

    /** A choice and why it was made, for the log. */
    public record Choice(Device device, String reason) {}

    /** Parses {@code cpu}, {@code cuda}, {@code cuda:n} or {@code auto}; a device that is not here is ENVIRONMENT. */
    public static Choice choose(String name) {
        if (name.equals("auto")) {
            Natives.load();
            return torch.cuda_is_available()
                    ? new Choice(new Device("cuda", 0), "a GPU was found")
                    : new Choice(CPU, "no GPU was found");
        }
        if (name.equals("cpu")) {
            return new Choice(CPU, "asked for");
        }
        if (name.matches("cuda(:\\d{1,3})?")) {
            Natives.load();
            if (!torch.cuda_is_available()) {
                throw new RetortException(
                        Kind.ENVIRONMENT,
                        "--device " + name + " was asked for but no GPU can be used here; run 'retort doctor', or leave"
                                + " --device out to run on the CPU");
            }
            int index = name.equals("cuda") ? 0 : Integer.parseInt(name.substring(5));
            return new Choice(new Device("cuda", index), "asked for");
        }
        throw new RetortException(Kind.USAGE, "--device " + name + " is unknown; choose cpu, cuda, cuda:N or auto");
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
