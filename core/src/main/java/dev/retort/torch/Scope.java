package dev.retort.torch;

import java.util.Iterator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * Owns every tensor made on this thread between {@link #open()} and {@link #close()}. Open one in each loop iteration,
 * where the reader can see it. A tensor leaves a scope in two ways only: {@link #keep} or {@link #escape}.
 */
public final class Scope implements AutoCloseable {
    private final PointerScope scope;
    private final Thread owner;

    private Scope() {
        scope = new PointerScope();
        owner = Thread.currentThread();
    }

    /** Opens a scope on this thread. */
    public static Scope open() {
        Natives.load();
        return new Scope();
    }

    /** Makes {@code tensor} outlive every scope; whoever keeps it must {@link Tensor#close() close} it. */
    public Tensor keep(Tensor tensor) {
        check();
        tensor.retainReference();
        scope.detach(tensor);
        return tensor;
    }

    /** Hands {@code tensor} to the scope around this one; without one it is kept. */
    public Tensor escape(Tensor tensor) {
        check();
        Iterator<PointerScope> scopes = PointerScope.getScopeIterator();
        scopes.next();
        if (scopes.hasNext()) {
            scopes.next().attach(tensor);
            scope.detach(tensor);
            return tensor;
        }
        return keep(tensor);
    }

    private void check() {
        if (Thread.currentThread() != owner || PointerScope.getInnerScope() != scope) {
            throw new IllegalStateException("a scope is used by the thread that opened it, while it is innermost");
        }
    }

    @Override
    public void close() {
        check();
        scope.close();
    }
}
