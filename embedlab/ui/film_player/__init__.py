"""A training played like a film."""

from embedlab.ui.film_player.player import film_player

__all__ = ["film_player"]
