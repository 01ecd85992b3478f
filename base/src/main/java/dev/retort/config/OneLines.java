package dev.retort.config;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The text of values of {@link OneLine}. */
final class OneLines {
    private OneLines() {}

    static List<String> names(Class<?> choice) {
        List<String> names = new ArrayList<>(Vocabulary.typeNames(choice));
        names.addAll(shorthands(choice).keySet());
        return names;
    }

    static <T> T parse(Class<T> choice, String line) {
        int colon = line.indexOf(':');
        String name = plain(colon < 0 ? line : line.substring(0, colon));
        Map<String, String> fixed = new LinkedHashMap<>();
        String shorthand = shorthands(choice).get(name);
        Class<?> type = Vocabulary.named(choice, shorthand == null ? name : name(shorthand));
        if (!type.isRecord()) {
            throw refused("is '" + line + "', which is not known" + Suggestion.among(name, names(choice)));
        }
        if (shorthand != null) {
            fixed.putAll(options(shorthand));
        }
        Map<String, String> given = colon < 0 ? Map.of() : options(line);
        List<String> known = Types.names(type).stream()
                .filter(option -> !fixed.containsKey(option))
                .toList();
        for (String option : given.keySet()) {
            if (!known.contains(option)) {
                throw refused("is '" + line + "', but " + name + " has no option '" + option + "'"
                        + Suggestion.among(option, known));
            }
        }
        fixed.putAll(given);
        return choice.cast(made(type, fixed, line));
    }

    private static String name(String line) {
        return line.contains(":") ? line.substring(0, line.indexOf(':')) : line;
    }

    /** The options behind the colon; a part without '=' goes on with the list before it. */
    private static Map<String, String> options(String line) {
        Map<String, String> options = new LinkedHashMap<>();
        String last = null;
        for (String part : line.substring(line.indexOf(':') + 1).split(",", -1)) {
            int equals = part.indexOf('=');
            if (equals < 0 && last != null) {
                options.merge(last, part, (before, more) -> before + "," + more);
            } else if (equals < 1) {
                throw refused("is '" + line + "', where '" + part.strip() + "' is not an option; write " + name(line)
                        + ":OPTION=VALUE,OPTION=VALUE");
            } else {
                last = part.substring(0, equals).strip();
                if (options.put(last, part.substring(equals + 1).strip()) != null) {
                    throw refused("is '" + line + "', which gives " + last + " twice; leave one out");
                }
            }
        }
        return options;
    }

    private static Object made(Class<?> type, Map<String, String> given, String line) {
        RecordComponent[] components = type.getRecordComponents();
        int needed = shortest(type).getParameterCount();
        for (RecordComponent component : Arrays.asList(components).subList(0, needed)) {
            if (!given.containsKey(component.getName())) {
                throw refused("is '" + line + "', which lacks the option " + component.getName());
            }
        }
        try {
            Object[] values = new Object[components.length];
            for (int i = 0; i < values.length; i++) {
                String text = given.get(components[i].getName());
                values[i] = text == null ? null : value(components[i], text);
            }
            Object usual = null;
            for (int i = needed; i < values.length; i++) {
                if (values[i] == null) {
                    usual = usual == null ? usual(type, values) : usual;
                    values[i] = components[i].getAccessor().invoke(usual);
                }
            }
            return canonical(type).newInstance(values);
        } catch (InvocationTargetException e) {
            throw refused("is '" + line + "': " + e.getCause().getMessage());
        } catch (IllegalArgumentException | RetortException e) {
            throw refused("is '" + line + "': " + e.getMessage());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(type + " cannot be made", e);
        }
    }

    /** The record with nothing but what must be given. */
    private static Object usual(Class<?> type, Object[] values) throws ReflectiveOperationException {
        Constructor<?> shortest = shortest(type);
        return shortest.newInstance(Arrays.copyOf(values, shortest.getParameterCount()));
    }

    private static Constructor<?> shortest(Class<?> type) {
        return Arrays.stream(type.getConstructors())
                .min(Comparator.comparingInt(Constructor::getParameterCount))
                .orElseThrow();
    }

    private static Constructor<?> canonical(Class<?> type) throws NoSuchMethodException {
        return type.getConstructor(Arrays.stream(type.getRecordComponents())
                .map(RecordComponent::getType)
                .toArray(Class<?>[]::new));
    }

    private static Object value(RecordComponent component, String text) {
        Class<?> type = component.getType();
        String option = component.getName();
        try {
            if (type == int.class) {
                return Math.toIntExact(WholeNumber.of(text));
            }
            if (type == long.class) {
                return WholeNumber.of(text);
            }
            if (type == double.class) {
                return FiniteNumber.of(text);
            }
        } catch (ArithmeticException | NumberFormatException e) {
            throw new IllegalArgumentException(
                    option + " is '" + text + "', expected a " + (type == double.class ? "number" : "whole number"), e);
        }
        if (type == boolean.class) {
            Require.that(text.equals("true") || text.equals("false"), option, "'" + text + "'", "true or false");
            return text.equals("true");
        }
        if (type == List.class) {
            return Arrays.stream(text.split(",", -1))
                    .map(part -> number(option, part.strip()))
                    .toList();
        }
        return type.isEnum() ? constant(option, type, text) : text;
    }

    private static double number(String option, String text) {
        try {
            return FiniteNumber.of(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(option + " holds '" + text + "', expected numbers", e);
        }
    }

    private static Object constant(String option, Class<?> type, String text) {
        List<String> names = Vocabulary.constantNames(type);
        Require.oneOf(option, plain(text), names);
        return type.getEnumConstants()[names.indexOf(plain(text))];
    }

    private static String plain(String name) {
        return name.strip().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static String text(OneLine value) {
        Class<?> type = value.getClass();
        Class<?> choice = choice(type);
        Map<String, String> all = shown(type, value);
        Map<String, String> fixed = Map.of();
        String name = Vocabulary.dashed(type.getSimpleName());
        for (Map.Entry<String, String> shorthand : shorthands(choice).entrySet()) {
            Map<String, String> means = options(shorthand.getValue());
            if (name(shorthand.getValue()).equals(Vocabulary.dashed(type.getSimpleName()))
                    && all.entrySet().containsAll(means.entrySet())) {
                name = shorthand.getKey();
                fixed = means;
            }
        }
        Map<String, String> usual = usual(type, value);
        Map<String, String> left = fixed;
        String options = all.entrySet().stream()
                .filter(option -> !left.containsKey(option.getKey()))
                .filter(option -> !option.getValue().equals(usual.get(option.getKey())))
                .map(option -> option.getKey() + "=" + option.getValue())
                .collect(Collectors.joining(","));
        return options.isEmpty() ? name : name + ":" + options;
    }

    /** The outermost sealed interface. */
    private static Class<?> choice(Class<?> type) {
        return Arrays.stream(type.getInterfaces())
                .filter(parent -> parent != OneLine.class && OneLine.class.isAssignableFrom(parent))
                .findFirst()
                .map(OneLines::choice)
                .orElse(type);
    }

    /** What the options are that are not given. */
    private static Map<String, String> usual(Class<?> type, Object value) {
        try {
            RecordComponent[] components = type.getRecordComponents();
            Object[] values = new Object[components.length];
            int needed = shortest(type).getParameterCount();
            for (int i = 0; i < needed; i++) {
                values[i] = components[i].getAccessor().invoke(value);
            }
            Map<String, String> usual = shown(type, usual(type, values));
            Arrays.stream(components).limit(needed).forEach(given -> usual.remove(given.getName()));
            return usual;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(type + " cannot be made", e);
        }
    }

    private static Map<String, String> shown(Class<?> type, Object value) {
        Map<String, String> shown = new LinkedHashMap<>();
        try {
            for (RecordComponent component : type.getRecordComponents()) {
                shown.put(component.getName(), shown(component.getAccessor().invoke(value)));
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(type + " cannot be read", e);
        }
        return shown;
    }

    private static String shown(Object value) {
        if (value instanceof List<?> list) {
            return list.stream().map(OneLines::shown).collect(Collectors.joining(","));
        }
        if (value instanceof Double number) {
            return Require.number(number).toLowerCase(Locale.ROOT);
        }
        return value instanceof Enum<?> constant ? Vocabulary.dashed(constant.name()) : String.valueOf(value);
    }

    private static Map<String, String> shorthands(Class<?> choice) {
        try {
            return (Map<String, String>) choice.getMethod("shorthands").invoke(null);
        } catch (NoSuchMethodException e) {
            return Map.of();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(choice + " has no usable shorthands", e);
        }
    }

    private static RetortException refused(String message) {
        return new RetortException(Kind.CONFIG, message);
    }
}
