"""What every HTTP door shares, ours and the foreign ones: reading bodies, rates, origins, refusals, handing messages to the poster."""
