/** The one exception users meet, the exit code of each kind, how its sentences list things, and how strangers' text is shown. */
package dev.retort.error;
