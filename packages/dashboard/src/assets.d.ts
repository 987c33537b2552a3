/** Stylesheets are for the bundler: importing one puts it into the page. */
declare module '*.css' {}
