// Applies the stored choice before anything is drawn. Private windows may refuse storage: then the system decides.
try {
  const choice = localStorage.getItem('keytally-theme');
  if (choice === 'light' || choice === 'dark') document.documentElement.dataset.theme = choice;
} catch {}
