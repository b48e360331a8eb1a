"""How fast it is: bin/bench. A figure is a module in figures/; what several need lies here."""
