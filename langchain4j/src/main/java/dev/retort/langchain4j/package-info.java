/** An exported student as an image model of LangChain4j. */
package dev.retort.langchain4j;
