/** The folder of a run and what stands in it for everybody to read: settings, events as they happen, how far it is. */
package dev.retort.run;
