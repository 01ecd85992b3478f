package dev.retort.torch;

import java.util.Iterator;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Pointer;
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

    /** The innermost scope of this thread, to own what is made later, while others are open inside. */
    public static Home here() {
        return new Home(PointerScope.getInnerScope());
    }

    /** A scope that stays open around others. */
    public static final class Home {
        private final PointerScope scope;

        private Home(PointerScope scope) {
            this.scope = scope;
        }

        /** Makes something that this scope owns, whichever is innermost; to be called on its thread while it is open. */
        public <T> T make(Supplier<T> maker) {
            if (scope == null || scope == PointerScope.getInnerScope()) {
                return maker.get();
            }
            try (Passage toHere = new Passage(scope)) {
                return maker.get();
            }
        }
    }

    /** An innermost scope that owns nothing: what is made in it belongs to one further out. */
    private static final class Passage extends PointerScope {
        private final PointerScope to;

        Passage(PointerScope to) {
            this.to = to;
        }

        @Override
        public PointerScope attach(Pointer pointer) {
            to.attach(pointer);
            return this;
        }
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
