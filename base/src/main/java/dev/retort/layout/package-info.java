/** Names of weights: what files call and cut them, what they say of a model beside them, and how one file becomes another. */
package dev.retort.layout;
