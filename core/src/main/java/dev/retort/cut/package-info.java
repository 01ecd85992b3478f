/** Parts of models as models of their own: which blocks, layers and channels are left out, by name or by what each changes of the output. */
package dev.retort.cut;
