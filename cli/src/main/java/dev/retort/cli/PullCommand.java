package dev.retort.cli;

import dev.retort.hub.Hub;
import dev.retort.hub.HubName;
import dev.retort.hub.Snapshot;
import java.nio.file.Files;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Fetches a model from the hub. */
@Command(
        name = "pull",
        header = {
            "Fetch a model from the Hugging Face hub into the cache that Python tools share.",
            "",
            "Examples:",
            "  retort pull hf:OWNER/NAME                 configurations and weights",
            "  retort pull hf:OWNER/NAME@v1.0            a branch, a tag or a commit",
            "  retort pull hf:OWNER/NAME/vae             one folder of it",
            "  retort pull hf:OWNER/NAME/weights.pt      one file of it",
            "",
            "The same command goes on with a download that was cut off, and fetches only what is new. Every",
            "command that takes a model takes hf:OWNER/NAME too, and needs no network once it is here.",
            ""
        },
        footer = {
            "",
            "Environment: HF_TOKEN (for private and gated models; else the file 'token' in HF_HOME), HF_HOME",
            "or HF_HUB_CACHE (the folder of the cache; by default ~/.cache/huggingface), HF_ENDPOINT (another",
            "hub), HF_HUB_OFFLINE=1 (never fetch), HTTPS_PROXY, HTTP_PROXY or ALL_PROXY (a proxy, as",
            "http://USER:PASSWORD@HOST:PORT; SOCKS is refused) and NO_PROXY (hosts, networks as 10.0.0.0/8,",
            "or *)."
        })
final class PullCommand implements Callable<Integer> {
    @Mixin
    private Output output;

    @Parameters(paramLabel = "hf:OWNER/NAME", description = "The model; /PATH and @REVISION may follow.")
    private String model;

    /** What is printed as JSON. */
    private record Brought(String model, String path, String commit, int files, long bytes, long fetched) {}

    @Override
    public Integer call() {
        HubName name = HubName.parse(model);
        Snapshot pulled;
        try (DownloadBar bar = new DownloadBar(output)) {
            pulled = Hub.ofProcess(bar).pull(name);
        }
        if (output.json()) {
            output.terminal()
                    .json(new Brought(
                            name.toString(),
                            pulled.path().toString(),
                            pulled.commit(),
                            pulled.files(),
                            pulled.bytes(),
                            pulled.fetched()));
        } else {
            output.terminal().out().println(pulled.path());
        }
        if (Files.isDirectory(pulled.path())) {
            output.next("retort inspect " + name);
        }
        return 0;
    }
}
