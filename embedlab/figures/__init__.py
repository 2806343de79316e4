"""Values to plotly figures. Computes nothing."""
