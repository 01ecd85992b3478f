package dev.retort.cli;

import java.lang.reflect.Constructor;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IFactory;

/** Makes the command objects: those with a constructor that takes the terminal get it. */
record Commands(Terminal terminal) implements IFactory {
    /** In the order of the help. */
    private static final List<Class<?>> ALL = List.of(
            EncodeCommand.class,
            TrainCommand.class,
            TrajectoriesCommand.class,
            PlanStepsCommand.class,
            DistillCommand.class,
            CutCommand.class,
            QuantizeCommand.class,
            SampleCommand.class,
            EvaluateCommand.class,
            CompareCommand.class,
            BenchModelCommand.class,
            PullCommand.class,
            InspectCommand.class,
            ConvertCommand.class,
            ExportCommand.class,
            LoraCommand.class,
            TrainClassifierCommand.class,
            DemoCommand.class,
            PresetsCommand.class,
            DoctorCommand.class);

    /**
     * The command line for some arguments: with the command that they open with, or with all where they open with none, which
     * are then listed or proposed. Building all takes longer than most of them need to begin.
     */
    CommandLine line(String... args) {
        List<Class<?>> asked = ALL.stream()
                .filter(type -> args.length > 0
                        && type.getAnnotation(Command.class).name().equals(args[0]))
                .toList();
        CommandLine line = new CommandLine(new RetortCommand(), this);
        (asked.isEmpty() ? ALL : asked).forEach(line::addSubcommand);
        return line;
    }

    @Override
    public <K> K create(Class<K> type) throws Exception {
        for (Constructor<?> constructor : type.getDeclaredConstructors()) {
            if (constructor.getParameterCount() == 1 && constructor.getParameterTypes()[0] == Terminal.class) {
                return type.cast(constructor.newInstance(terminal));
            }
        }
        return CommandLine.defaultFactory().create(type);
    }
}
