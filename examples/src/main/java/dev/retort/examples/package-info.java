/** One short file per lesson; each runs as it stands and is run by the tests. */
package dev.retort.examples;
