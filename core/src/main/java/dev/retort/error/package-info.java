/** The one exception users meet, and the exit code of each kind. */
package dev.retort.error;
