package dev.retort.data;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Files of a set that are neither pictures nor what usually lies beside them: perhaps pictures of another format. */
final class OtherFiles {
    /** Texts, tables and notes, which nobody takes for pictures. */
    private static final Set<String> COMPANIONS = Set.of(
            "txt", "cls", "json", "jsonl", "csv", "tsv", "xml", "yaml", "yml", "md", "rst", "html", "htm", "pdf", "log",
            "py", "sh", "db", "ini", "sha256", "md5");

    private OtherFiles() {}

    /** How many of each ending there are in each of the topmost folders: {@code 6 .tif in cat}. */
    static List<String> kinds(Collection<StoredFile> files) {
        Map<String, Integer> counts = new TreeMap<>();
        for (StoredFile file : files) {
            String path = file.path();
            String ending = ImageNames.ending(path);
            // LICENSE, README and the like have none
            boolean note = ending.isEmpty() && ImageNames.file(path).matches("[A-Z_-]+");
            if (ImageNames.isPicture(path) || COMPANIONS.contains(ending) || note) {
                continue;
            }
            List<String> folders = ImageNames.folders(path);
            String kind = ending.isEmpty() ? "without an ending" : "." + ending;
            counts.merge(kind + (folders.isEmpty() ? "" : " in " + folders.get(0)), 1, Integer::sum);
        }
        List<String> kinds = new ArrayList<>();
        counts.forEach((kind, count) -> kinds.add(count + " " + kind));
        return kinds;
    }
}
