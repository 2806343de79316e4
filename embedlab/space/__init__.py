"""Numbers about vectors: neighbours, projections, prototypes, scores. Draws nothing."""
