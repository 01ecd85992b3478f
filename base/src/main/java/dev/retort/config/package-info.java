/** Configuration as data: YAML presets and files, {@code --set a.b=1} overrides, bound once to records, with errors that name the field. */
package dev.retort.config;
