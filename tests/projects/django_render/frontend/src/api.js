import axios from "axios";

export const api = axios.create({ baseURL: import.meta.env.VITE_API_URL || "http://localhost:8000/api" });

export const lessons = () => api.get("/lessons/").then((answer) => answer.data);
