"""The wizard line by line, for screen readers and plain terminals: the same questions, without Textual."""
