package dev.retort.bench;

import dev.retort.error.RetortException;
import dev.retort.error.RetortException.Kind;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * What a server such as the lesson {@code ImageServer} does under load, for requests of one picture each: what it does at most, then how long requests
 * take that come by chance (Poisson) at a share of that, then what becomes of twice as many as it can serve. A request's time counts from
 * the moment that it was due, so one that is late because others were slow is not forgotten.
 */
final class ServerLoad {
    private static final double SHARE = 0.8;
    private static final double OVERLOAD = 2;
    /** Asked at once to find the most; fewer than a queue holds. */
    private static final int AT_ONCE = 16;

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int OK = 200;
    private static final int BUSY = 503;

    /**
     * What became of one request.
     *
     * @param status of HTTP; 0 where no answer came
     * @param seconds until the answer, from when it was due
     */
    private record Outcome(int status, double seconds) {}

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI draw;
    private final URI metrics;
    private final AtomicLong seeds = new AtomicLong();

    private ServerLoad(URI server) {
        draw = server.resolve("/v1/images/generations");
        metrics = server.resolve("/metrics");
    }

    /**
     * Measures.
     *
     * @param server such as {@code http://127.0.0.1:8080}
     * @param seconds of the load at a share of the most; a fifth of that, but no more than half a minute, for the other two
     */
    static String measure(String server, double seconds) {
        ServerLoad load = new ServerLoad(URI.create(server));
        double around = Math.min(30, seconds / 5);
        load.residentMegabytes(); // or it says at once that nobody is there
        load.closed(around / 2); // both JVMs compile what is hot
        double most = load.closed(around);
        double before = load.residentMegabytes();
        List<Outcome> usual = load.poisson(SHARE * most, seconds);
        double after = load.residentMegabytes();
        List<Outcome> over = load.poisson(OVERLOAD * most, around);
        return String.format(
                Locale.ROOT,
                "most: %.1f requests/s, %d at once%n%s%sresident memory of the server: %.1f MB before, %.1f MB after the %.0f %%,"
                        + " %.1f MB at the end%n",
                most,
                AT_ONCE,
                line(SHARE, seconds, usual),
                line(OVERLOAD, around, over),
                before,
                after,
                100 * SHARE,
                load.residentMegabytes());
    }

    private static String line(double share, double seconds, List<Outcome> outcomes) {
        double[] served = times(outcomes, OK);
        double[] refused = times(outcomes, BUSY);
        return String.format(
                Locale.ROOT,
                "%.0f %% for %.0f s: %d requests, %d drawn, %d refused by 503, %d lost; drawn in p50 %.2f, p95 %.2f, p99 %.2f ms"
                        + " (p99 / p50 %.2f), refused in p99 %.2f ms%n",
                100 * share,
                seconds,
                outcomes.size(),
                served.length,
                refused.length,
                outcomes.size() - served.length - refused.length,
                1e3 * quantile(served, 0.5),
                1e3 * quantile(served, 0.95),
                1e3 * quantile(served, 0.99),
                quantile(served, 0.99) / quantile(served, 0.5),
                1e3 * quantile(refused, 0.99));
    }

    private static double[] times(List<Outcome> outcomes, int status) {
        return outcomes.stream()
                .filter(outcome -> outcome.status == status)
                .mapToDouble(Outcome::seconds)
                .sorted()
                .toArray();
    }

    /** The smallest value that this share of all does not exceed; NaN of none. */
    private static double quantile(double[] sorted, double share) {
        return sorted.length == 0 ? Double.NaN : sorted[(int) Math.ceil(share * sorted.length) - 1];
    }

    /** Requests per second where each that is answered is followed by the next. */
    private double closed(double seconds) {
        long began = System.nanoTime();
        long end = began + nanos(seconds);
        AtomicLong answered = new AtomicLong();
        List<CompletableFuture<Void>> callers = IntStream.range(0, AT_ONCE)
                .mapToObj(caller -> CompletableFuture.runAsync(
                        () -> {
                            while (System.nanoTime() < end) {
                                Outcome outcome = ask(System.nanoTime()).join();
                                if (outcome.status != OK) {
                                    throw new RetortException(
                                            Kind.USAGE,
                                            draw + " answers with " + outcome.status + " to " + AT_ONCE
                                                    + " requests at once; is it the server, and are its queue and deadline long enough?");
                                }
                                answered.incrementAndGet();
                            }
                        },
                        task -> new Thread(task, "caller-" + caller).start()))
                .toList();
        join(callers);
        return answered.get() / ((System.nanoTime() - began) / 1e9);
    }

    private static void join(List<CompletableFuture<Void>> callers) {
        try {
            callers.forEach(CompletableFuture::join);
        } catch (CompletionException e) {
            throw e.getCause() instanceof RetortException known ? known : e;
        }
    }

    private List<Outcome> poisson(double rate, double seconds) {
        Random random = new Random(1);
        List<CompletableFuture<Outcome>> asked = new ArrayList<>();
        long began = System.nanoTime();
        long due = began;
        while (due - began < nanos(seconds)) {
            for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
            asked.add(ask(due));
            due += nanos(-Math.log(1 - random.nextDouble()) / rate);
        }
        return asked.stream().map(CompletableFuture::join).toList();
    }

    private static long nanos(double seconds) {
        return (long) (seconds * TimeUnit.SECONDS.toNanos(1));
    }

    private CompletableFuture<Outcome> ask(long due) {
        String body = "{\"prompt\": \"0\", \"seed\": " + seeds.getAndIncrement() + "}";
        HttpRequest request = HttpRequest.newBuilder(draw)
                .timeout(PATIENCE)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build();
        return client.sendAsync(request, BodyHandlers.ofByteArray())
                .handle((response, e) ->
                        new Outcome(e == null ? response.statusCode() : 0, (System.nanoTime() - due) / 1e9));
    }

    /** As the server's metrics say it; NaN where they do not. */
    private double residentMegabytes() {
        try {
            HttpResponse<String> response =
                    client.send(HttpRequest.newBuilder(metrics).build(), BodyHandlers.ofString());
            return Arrays.stream(response.body().split("\n"))
                    .filter(line -> line.startsWith("process_resident_memory_bytes "))
                    .mapToDouble(line -> Double.parseDouble(line.split(" ")[1]) / 1e6)
                    .findFirst()
                    .orElse(Double.NaN);
        } catch (IOException e) {
            throw new RetortException(Kind.USAGE, metrics + " does not answer (" + e + "); start the server first", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RetortException(Kind.INTERRUPTED, "stopped while measuring", e);
        }
    }
}
