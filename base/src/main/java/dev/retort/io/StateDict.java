package dev.retort.io;

import dev.retort.error.FirstFew;
import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The weights of one network inside a file: what training scripts wrap around them is taken off, and said. Which
 * dictionary of the file holds them follows from the name of a tensor that the network has, not from a list of what scripts
 * call their dictionaries; optimiser states, losses and random states beside them do not matter.
 */
public final class StateDict extends TensorView {
    /** What compilation, sharding and activation checkpointing put into names, before every key or inside. */
    private static final Pattern INSERTED =
            Pattern.compile("(?<![^.])(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\\.");

    private static final Pattern OPTIMISER = Pattern.compile("(?i)opt|optim.*|.*optimi[sz]er.*|exp_avg.*|momentum.*");
    /** Words of which the names of dictionaries are made that say nothing of whose weights they hold. */
    private static final Set<String> PLAIN = Set.of(
            "module",
            "model",
            "state",
            "dict",
            "net",
            "network",
            "param",
            "params",
            "parameters",
            "weights",
            "checkpoint");

    private static final Set<String> AVERAGES = Set.of("ema", "swa", "avg", "average", "averaged", "shadow");
    private static final int SHOWN = 5;

    /** Whose weights a dictionary of the file holds, as its name tells; those further up are preferred. */
    private enum Rank {
        /** Averages are what samples are drawn with. */
        AVERAGE,
        PLAIN,
        NAMED
    }

    private final List<String> notes = new ArrayList<>();
    private final Map<String, String> storedName = new LinkedHashMap<>();

    private StateDict(TensorFile file) {
        super(file);
    }

    /**
     * The weights inside {@code file}, which is closed with them. Of several dictionaries that fit an average is taken, else
     * the only one whose name is a plain one, such as {@code model}. Where none fits the file is taken as it is.
     *
     * @param marks names of tensors of the network: a dictionary that holds one of them fits
     * @throws RetortException of kind CHECKPOINT where several fit and none of them is preferred, which lists them
     */
    public static StateDict of(TensorFile file, Collection<String> marks) {
        StateDict dict = new StateDict(file);
        Map<String, String> cleaned = dict.cleaned();
        List<String> prefixes = prefixes(cleaned.keySet(), marks);
        String prefix = dict.chosen(prefixes, cleaned.keySet());
        dict.take(prefix, cleaned);
        if (!prefix.isEmpty()) {
            dict.say(prefix, prefixes);
        }
        dict.sayUnusedAverages(prefix, prefixes, cleaned.keySet());
        return dict;
    }

    /** The names without what was inserted into them, each with the stored one. */
    private Map<String, String> cleaned() {
        Map<String, String> cleaned = new LinkedHashMap<>();
        Set<String> inserted = new LinkedHashSet<>();
        int changed = 0;
        for (String stored : file.entries().keySet()) {
            String name = INSERTED.matcher(stored).replaceAll("");
            if (!name.equals(stored)) {
                changed++;
                INSERTED.matcher(stored).results().forEach(match -> inserted.add(match.group()));
            }
            String before = cleaned.put(name, stored);
            if (before != null) {
                throw new RetortException(
                        Kind.CHECKPOINT,
                        "cannot read " + path() + ": '" + before + "' and '" + stored + "' are two tensors for '" + name
                                + "'; save one of them alone");
            }
        }
        if (changed > 0) {
            notes.add("dropped " + String.join(" and ", inserted) + " from the names of " + changed + " tensors");
        }
        return cleaned;
    }

    /** What stands before the marks: one prefix for each dictionary that holds weights of the network. */
    private static List<String> prefixes(Collection<String> names, Collection<String> marks) {
        Set<String> prefixes = new LinkedHashSet<>();
        for (String name : names) {
            for (String mark : marks) {
                if (name.equals(mark) || name.endsWith("." + mark)) {
                    prefixes.add(name.substring(0, name.length() - mark.length()));
                }
            }
        }
        return prefixes.stream()
                .filter(prefix -> segments(prefix).stream().noneMatch(OPTIMISER.asMatchPredicate()))
                .toList();
    }

    private static List<String> segments(String prefix) {
        return Arrays.stream(prefix.split("\\.")).filter(s -> !s.isEmpty()).toList();
    }

    /** The innermost name that tells something decides: in {@code ema.online_model} that is no average. */
    private static Rank rank(String prefix) {
        Rank rank = Rank.PLAIN;
        for (String segment : segments(prefix)) {
            List<String> words = words(segment);
            if (words.stream().anyMatch(AVERAGES::contains)) {
                rank = Rank.AVERAGE;
            } else if (!PLAIN.containsAll(words)) {
                rank = Rank.NAMED;
            }
        }
        return rank;
    }

    private static List<String> words(String segment) {
        return Arrays.asList(segment.toLowerCase(Locale.ROOT).split("[^a-z]+"));
    }

    private String chosen(List<String> prefixes, Collection<String> names) {
        for (Rank rank : Rank.values()) {
            List<String> fitting =
                    prefixes.stream().filter(prefix -> rank(prefix) == rank).toList();
            if (fitting.size() > 1) {
                List<String> shown = fitting.stream()
                        .map(prefix -> title(prefix) + " (" + count(prefix, names) + " tensors)")
                        .toList();
                throw new RetortException(
                        Kind.CHECKPOINT,
                        path() + " holds several sets of weights that fit: " + FirstFew.of(shown, SHOWN)
                                + "; save the tensors of the one that you want to a file of their own and give that");
            }
            if (fitting.size() == 1) {
                return fitting.get(0);
            }
        }
        return "";
    }

    private static String title(String prefix) {
        return prefix.isEmpty() ? "the file itself" : "'" + prefix.substring(0, prefix.length() - 1) + "'";
    }

    private static long count(String prefix, Collection<String> names) {
        return names.stream().filter(name -> name.startsWith(prefix)).count();
    }

    private void take(String prefix, Map<String, String> cleaned) {
        cleaned.forEach((whole, stored) -> {
            if (whole.startsWith(prefix)) {
                String name = whole.substring(prefix.length());
                TensorEntry entry = file.entry(stored);
                entries.put(name, new TensorEntry(name, entry.type(), entry.shape()));
                storedName.put(name, stored);
            }
        });
    }

    private void say(String prefix, List<String> prefixes) {
        List<String> others = prefixes.stream()
                .filter(other -> !other.equals(prefix))
                .map(StateDict::title)
                .toList();
        notes.add("took the " + entries.size() + " tensors of " + title(prefix) + " of "
                + file.entries().size() + (rank(prefix) == Rank.AVERAGE ? ", an average of the weights" : "")
                + (others.isEmpty() ? "" : "; left out the other weights, " + FirstFew.of(others, SHOWN)));
    }

    /** Some keep averages as a list without names, which nothing here can put in its place. */
    private void sayUnusedAverages(String prefix, List<String> prefixes, Collection<String> names) {
        if (prefixes.isEmpty() || rank(prefix) == Rank.AVERAGE) {
            return;
        }
        Set<String> averages = new LinkedHashSet<>();
        for (String name : names) {
            int dot = name.lastIndexOf('.');
            String parent = dot < 0 || name.startsWith(prefix) && !prefix.isEmpty() ? "" : name.substring(0, dot + 1);
            boolean optimiser = segments(parent).stream().anyMatch(OPTIMISER.asMatchPredicate());
            if (!optimiser && rank(parent) == Rank.AVERAGE) {
                averages.add(title(parent));
            }
        }
        if (!averages.isEmpty()) {
            notes.add("did not use the averages in " + FirstFew.of(List.copyOf(averages), SHOWN)
                    + ", whose tensors have other names");
        }
    }

    /** What was taken and left out, a sentence each; empty where the file was the bare weights. */
    public List<String> notes() {
        return Collections.unmodifiableList(notes);
    }

    @Override
    public void read(String name, long from, ByteBuffer target) {
        entry(name);
        file.read(storedName.get(name), from, target);
    }

    @Override
    public void close() {
        file.close();
    }
}
