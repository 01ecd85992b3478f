package dev.retort.report;

import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The JSON writers of this package: one line for logs, indented for files that people open. */
final class Json {
    static final JsonMapper LINE = JsonMapper.builder().build();
    static final JsonMapper PRETTY =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private Json() {}
}
