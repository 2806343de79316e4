// Zoom by memory and panel, while the app is open in this tab.

export const keptViews = new Map();
