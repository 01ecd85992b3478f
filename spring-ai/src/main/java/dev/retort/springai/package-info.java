/** An exported student as an image model of Spring AI. */
package dev.retort.springai;
